"""Downloads over HTTP for sources that are no Git repositories: bounded, pinned, and blind to what others set up."""

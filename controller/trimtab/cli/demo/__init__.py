"""`trimtab demo`: a control plane, a git server and the controller as a real process, and the story told on them."""

"""The artifact's identity: what a fetch resolved to, by the content and not by the commit.

The SHA of a commit's root tree flows in, the digest that status shows flows out. The loop calls it.
"""


def tree_digest(tree_sha: str) -> str:
    """`sha1:<40 hex>` or `sha256:<64 hex>`, by the repository's object format.

    Git's own tree SHA covers names, modes and bytes of all files. Commits with the same files share it: a revert and
    what it goes back to, an empty commit and its parent.
    """
    return f"{'sha256' if len(tree_sha) == 64 else 'sha1'}:{tree_sha}"

"""Git: mirrors of repositories, kept by GitPython in worker processes that a small zygote forks.

`mirrors.GitMirrors` is the port. A request flows from it through `worker_pool` to a `worker`, which carries it out by
`fetching`, `trees` or `materialising`. This file imports nothing, because the zygote imports it.
"""

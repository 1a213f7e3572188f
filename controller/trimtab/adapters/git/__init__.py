"""Git: mirrors of repositories, kept by GitPython in worker processes that a small zygote forks.

`mirrors.GitMirrors` is the port; a request flows main process → `pool` → `worker` → `repository` and its answer back.
This file imports nothing, because the zygote imports it.
"""

"""From files of a repository to manifests: reading, opening lists, kustomize's output. Pure: no exec, no I/O."""

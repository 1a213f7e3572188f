"""Which files of a Git repository count, and what is put beside them: the part of GitRepository that shapes its tree.

`git_repository` joins it to the spec and the status; the loop builds source trees by it.
"""

from typing import Annotated, Any, Final

from pydantic import Field

from trimtab.api.model import ApiModel, LocalName

_FOLDER_RULES: Final[dict[str, Any]] = {
    "x-kubernetes-validations": [
        {"rule": "!self.startsWith('/')", "message": "must be relative to the repository's root"},
        {
            "rule": "!self.split('/').exists(part, part == '..')",
            "message": "must stay inside the repository: no .. is allowed",
        },
        {
            "rule": r"!self.matches('[\\x00-\\x1f\\x7f\\\\]')",
            "message": "must hold no control characters or backslashes",
        },
    ]
}
Folder = Annotated[str, Field(max_length=256, json_schema_extra=_FOLDER_RULES)]
"""A path in a repository."""


class Include(ApiModel):
    """A folder of another repository that is put into this one's tree."""

    repository: LocalName
    """The GitRepository, an object of the same namespace."""
    from_path: Folder | None = None
    """Folder of that repository; all of it where nothing is said."""
    to_path: Folder | None = None
    """Where to put it, in place of what is there; at the name of the repository where nothing is said."""

    @property
    def place(self) -> str:
        """Where it goes."""
        return self.to_path or self.repository.name


class ObservedInclude(ApiModel):
    """An include as it was followed."""

    repository: LocalName
    """The GitRepository."""
    from_path: str | None = None
    """Folder of that repository."""
    to_path: str | None = None
    """Where it was put."""

    @classmethod
    def of(cls, include: Include) -> "ObservedInclude":
        """The same, without the rules that users' words have to keep."""
        return cls(repository=include.repository, from_path=include.from_path, to_path=include.to_path)


class GitContents(ApiModel):
    """The fields of a spec."""

    ignore: Annotated[str, Field(max_length=16384)] | None = None
    """Files to leave out, as patterns in gitignore syntax; they outrank those of .sourceignore and .trimtabignore files
    in the repository, which are obeyed in any case.
    """
    sparse_checkout: Annotated[tuple[Annotated[Folder, Field(min_length=1)], ...], Field(max_length=32)] = ()
    """Folders to use; all files where there are none."""
    include: Annotated[tuple[Include, ...], Field(max_length=16)] = ()
    """Folders of other repositories to put into the tree."""
    recurse_submodules: bool = False
    """Whether submodules are fetched, too; those on another host without credentials, through the same proxy."""
    lfs: bool = False
    """Whether files in Git LFS are fetched in place of the pointers to them; over http and https only."""


class GitContentsStatus(ApiModel):
    """What of these fields the artifact was made by."""

    observed_ignore: str | None = None
    """The ignore patterns of the spec that the artifact was made by."""
    observed_sparse_checkout: tuple[str, ...] | None = None
    """The folders of the spec that the artifact was made by."""
    observed_recurse_submodules: bool | None = None
    """Whether the artifact holds submodules."""
    observed_include: tuple[ObservedInclude, ...] | None = None
    """The includes of the spec that the artifact was made by."""

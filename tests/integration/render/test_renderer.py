"""From a repository to manifests with the real kustomize: closures, origins, refusals, and what a failure says."""

import asyncio
import time
from dataclasses import replace

import pytest
from tests.integration.render.conftest import job

from trimtab.adapters.process import jsonnet
from trimtab.adapters.process.helm import VERSION as HELM_VERSION
from trimtab.adapters.process.kustomize import VERSION, Bounds
from trimtab.adapters.process.renderer import KustomizeRenderer
from trimtab.adapters.process.runner import Confinement
from trimtab.adapters.process.sops import VERSION as SOPS_VERSION
from trimtab.core.errors import RenderError, SourceError
from trimtab.render.limits import DEFAULT_LIMITS


def folders(rendered):
    assert {name for name, _ in rendered.folders} == {""}
    return tuple(folder for _, folder in rendered.folders)


def config_map(name, more=""):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n{more}"


@pytest.fixture
def renderer(programs, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return KustomizeRenderer(kustomize=programs["kustomize"], scratch=scratch)


@pytest.fixture
def render(renderer, repository):
    """Render a path of the files given; the manifests by `Kind/name`, and the folders read."""

    async def start(files, path, using=renderer):
        git = repository(files)
        rendered = await using.render(job(git, path))
        return {f"{m.ref.kind}/{m.ref.name}": m for m in rendered.manifests}, folders(rendered), git.asked

    return start


@pytest.fixture
def problems(render):
    async def start(files, path, **options):
        with pytest.raises(RenderError) as caught:
            await render(files, path, **options)
        return [str(problem) for problem in caught.value.problems]

    return start


OVERLAY = {
    "apps/prod/kustomization.yaml": "namePrefix: prod-\nresources: [../../base, extra.yaml]\n"
    "patches: [{path: ../shared/patch.yaml}]\nconfigMapGenerator: [{name: made, literals: [a=b]}]\n",
    "apps/prod/extra.yaml": "# words\n" + config_map("extra"),
    "apps/shared/patch.yaml": config_map("web", "data: {patched: 'yes'}\n"),
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": f"{config_map('other')}---\n{config_map('web')}",
    "unrelated/huge.yaml": "a: 1",
}


async def test_an_overlay_is_built_from_its_closure_and_knows_its_sources(render, tmp_path):
    found, folders, asked = await render(OVERLAY, "apps/prod")
    generated = next(name for name in found if name.startswith("ConfigMap/prod-made-"))
    assert {name: str(manifest.origin) for name, manifest in found.items()} == {
        "ConfigMap/prod-extra": "apps/prod/extra.yaml:2",
        "ConfigMap/prod-other": "base/web.yaml:1",
        "ConfigMap/prod-web": "base/web.yaml:6",
        generated: "apps/prod/kustomization.yaml",
    }
    assert found["ConfigMap/prod-web"].body == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "prod-web"},
        "data": {"patched": "yes"},
    }
    assert folders == ("apps/prod", "apps/shared", "base")
    assert asked == [["apps/prod"], ["apps/shared"], ["base"]]
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_a_plain_folder_may_hold_kustomizations(render):
    files = {
        **OVERLAY,
        "apps/list.yaml": "kind: List\napiVersion: v1\nitems:\n- " + config_map("x").replace("\n", "\n  "),
    }
    found, folders, _ = await render(files, "apps")
    assert str(found["ConfigMap/x"].origin) == "apps/list.yaml:4"
    assert "ConfigMap/prod-web" in found
    assert "ConfigMap/web" in found  # apps/shared is a plain folder of its own
    assert folders == ("apps", "base")


async def test_the_root_may_be_rendered(render):
    found, folders, asked = await render({"a.yaml": config_map("a")}, "")
    assert (list(found), folders, asked) == (["ConfigMap/a"], ("",), [[""]])


@pytest.mark.parametrize("folder", ["odd.folder", "yaml.yaml"])
async def test_a_base_may_have_any_name(render, folder):
    files = {f"{folder}/kustomization.yaml": "resources: [a.yaml]", f"{folder}/a.yaml": config_map("a")}
    files["apps/k/kustomization.yaml"] = f"resources: [../../{folder}]"
    found, folders, _ = await render(files, "apps/k")
    assert list(found) == ["ConfigMap/a"]
    assert folders == ("apps/k", folder)


async def test_a_reference_that_only_kustomize_sees_widens_to_the_whole_tree(render):
    generator = "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: g}\nfiles: [../shared/x.txt]\n"
    files = {"k/kustomization.yaml": "generators: [g.yaml]", "k/g.yaml": generator, "shared/x.txt": "x"}
    found, folders, asked = await render(files, "k")
    (made,) = found.values()
    assert made.body["data"] == {"x.txt": "x"}
    assert (folders, asked) == (("",), [["k"], [""]])


async def test_all_that_is_written_for_one_rendering_is_counted_together(renderer, repository):
    tree = repository(OVERLAY)
    await renderer.render(job(tree, "apps/prod"))
    assert len(tree.budgets) == len(tree.asked) > 1
    assert {id(each) for each in tree.budgets} == {id(tree.budgets[0])}
    assert tree.budgets[0].limit_bytes == DEFAULT_LIMITS.tree_bytes
    await renderer.render(job(tree, "apps/prod"))
    assert tree.budgets[-1] is not tree.budgets[0]


async def test_a_base_that_a_link_brought_in_part_is_fetched_whole(renderer, repository):
    git = repository(
        {
            "k/kustomization.yaml": "resources: [../base]",
            "base/kustomization.yaml": "resources: [a.yaml]",
            "base/a.yaml": config_map("a"),
        }
    )
    (git.root / "k/peek.yaml").symlink_to("../base/a.yaml")
    rendered = await renderer.render(job(git, "k"))
    assert ([m.ref.name for m in rendered.manifests], folders(rendered)) == (["a"], ("base", "k"))


async def test_bases_and_files_behind_links_are_read_and_count(renderer, repository):
    git = repository(
        {
            "k/kustomization.yaml": "resources: [linked, plain.yaml]",
            "base/kustomization.yaml": "resources: [a.yaml]",
            "base/a.yaml": config_map("a"),
            "far/away/plain.yaml": config_map("plain"),
        }
    )
    (git.root / "k/linked").symlink_to("../base")
    (git.root / "k/plain.yaml").symlink_to("../far/away/plain.yaml")
    rendered = await renderer.render(job(git, "k"))
    assert sorted(str(m.origin) for m in rendered.manifests) == ["k/linked/a.yaml:1", "k/plain.yaml:1"]
    assert git.asked == [["k"], ["base"], ["far/away"]]
    assert folders(rendered) == ("base", "far/away", "k")


async def test_a_link_to_nothing_is_told(renderer, repository):
    git = repository({"k/a.yaml": config_map("a")})
    (git.root / "k/b.yaml").symlink_to("c.yaml")
    with pytest.raises(RenderError, match=r"k/b\.yaml: a symbolic link to nothing"):
        await renderer.render(job(git, "k"))


async def test_every_missing_file_is_told_with_its_line(problems):
    files = {"k/kustomization.yaml": "resources:\n- ../gone\n- no.yaml\npatches: [{path: lost.yaml}]\n"}
    assert await problems(files, "k") == [
        f"k/kustomization.yaml:{line}: {text!r} does not exist in the repository"
        " (add it, or take it off the kustomization)"
        for line, text in ((2, "../gone"), (3, "no.yaml"), (4, "lost.yaml"))
    ]


async def test_a_missing_path_is_the_sources_business(render):
    with pytest.raises(SourceError):
        await render({"a/b.yaml": "x"}, "c")


async def test_all_errors_of_a_revision_come_at_once(problems):
    files = {
        "apps/a.yaml": "a: b: c",
        "apps/b.yaml": config_map("b") + "---\n" + config_map("b"),
        "apps/k/kustomization.yaml": "resources: [c.yaml, d.yaml]",
        "apps/k/c.yaml": "x: 1\ny: [",
        "apps/k/d.yaml": config_map("d", "kind: Secret\n"),
    }
    found = await problems(files, "apps")
    places = [one.split(": ")[0] for one in found]
    assert places == ["apps/a.yaml:1", "apps/k/c.yaml:3", "apps/k/d.yaml:5", "apps/b.yaml:6"]


async def test_an_empty_path_is_refused(problems):
    assert "no manifests" in (await problems({"apps/README.md": "x"}, "apps"))[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("resurces: [x]", 'unknown field "resurces"'),
        ("resources: [a.yaml]\npatches: [{patch: 'hunter2'}]", "unable to parse SM or JSON patch"),
        ("resources: [a.yaml, ../k]", "cycle detected"),
        ("resources: [a.yaml]\nsecretGenerator: [{name: s, literals: [hunter2]}]", "kustomize: loading KV pairs"),
        ("resources: [a.yaml]\ngenerators: [g.yaml]", "kustomize: "),
    ],
)
async def test_a_failure_of_kustomize_names_the_file_and_no_content(problems, text, words):
    plugin = "apiVersion: some.plugin/v1\nkind: Exec\nmetadata: {name: x}\nsecret: hunter2\n"
    files = {"k/kustomization.yaml": text, "k/a.yaml": config_map("a"), "k/g.yaml": plugin}
    found = await problems(files, "k")
    assert found[0].startswith("k/")
    assert words in found[0]
    assert "hunter2" not in found[0]


@pytest.mark.parametrize("start", ["", "../" * 40])
async def test_a_file_outside_is_out_of_reach_even_where_the_closure_cannot_see_it(problems, tmp_path, start):
    (tmp_path / "present").write_text("hunter2")
    told = []
    for name in ("present", "absent!"):
        path = f"{start}{str(tmp_path / name)[1 if start else 0 :]}"
        generator = f"apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {{name: leak}}\nfiles: ['{path}']\n"
        files = {"k/kustomization.yaml": "generators: [g.yaml]", "k/g.yaml": generator}
        (found,) = await problems(files, "k")
        told.append(found.replace(name, "NAME"))
    assert told[0].startswith("k/kustomization.yaml: kustomize: loading KV pairs: file sources: ")
    assert "a path outside of the repository" in told[0]
    assert told[0] == told[1]


async def test_without_landlock_kustomize_stays_below_each_folder(renderer, render, problems, monkeypatch):
    async def nothing():
        return Confinement(files=False, network=False)

    monkeypatch.setattr("trimtab.adapters.process.kustomize.probe", nothing)
    found = await problems(OVERLAY, "apps/prod")
    assert "apps/prod/kustomization.yaml: kustomize: " in found[0]
    assert "is not in or below" in found[0]


async def test_nothing_remote_is_fetched(problems):
    found = await problems({"k/kustomization.yaml": "resources:\n- https://example.com/x.yaml"}, "k")
    assert found[0].startswith("k/kustomization.yaml:2: remote base 'https://example.com/x.yaml': a single file")


async def test_a_build_that_takes_too_long_or_too_much_is_stopped(programs, problems):
    slow = KustomizeRenderer(kustomize=programs["kustomize"], bounds=Bounds(timeout_seconds=0.001))
    assert "k took longer" in (await problems(OVERLAY, "apps/prod", using=slow))[0].replace("kustomize", "k")
    wordy = KustomizeRenderer(kustomize=programs["kustomize"], bounds=Bounds(output_bytes=10))
    assert "wrote more than 10 bytes" in (await problems(OVERLAY, "apps/prod", using=wordy))[0]
    poor = KustomizeRenderer(kustomize=programs["kustomize"], bounds=Bounds(memory_bytes=1 << 20))
    assert (await problems(OVERLAY, "apps/prod", using=poor))[0].startswith("apps/prod/kustomization.yaml: kustomize")


async def test_kustomize_is_needed_only_where_it_is_asked_for(problems, render, tmp_path):
    for program in (None, tmp_path / "absent"):
        without = KustomizeRenderer(kustomize=program)
        assert "kustomize is not installed" in (await problems(OVERLAY, "apps/prod", using=without))[0]
        assert "ConfigMap/web" in (await render(OVERLAY, "apps/shared", using=without))[0]


async def test_an_author_who_wants_origins_keeps_them(render):
    files = {
        "k/kustomization.yaml": "resources: [a.yaml]\nbuildMetadata: [originAnnotations]",
        "k/a.yaml": config_map("a"),
    }
    found, _, _ = await render(files, "k")
    assert found["ConfigMap/a"].annotations == {"config.kubernetes.io/origin": "path: a.yaml\n"}


async def test_a_kustomization_behind_a_link_is_built_and_left_alone(renderer, repository):
    git = repository({"k/real.yaml": "resources: [a.yaml]", "k/a.yaml": config_map("a")})
    (git.root / "k/kustomization.yaml").symlink_to("real.yaml")
    rendered = await renderer.render(job(git, "k"))
    assert [manifest.ref.name for manifest in rendered.manifests] == ["a"]


async def test_a_link_out_of_the_repository_is_refused(renderer, repository):
    git = repository({"k/a.yaml": config_map("a")})
    (git.root / "k/token.yaml").symlink_to("/var/run/secrets/token")
    with pytest.raises(RenderError, match=r"k/token\.yaml: symbolic link leaves the repository"):
        await renderer.render(job(git, "k"))


async def test_limits_reach_the_reader(problems, programs):
    small = KustomizeRenderer(kustomize=programs["kustomize"], limits=replace(DEFAULT_LIMITS, file_bytes=20))
    assert "larger than 20 bytes" in (await problems({"a/a.yaml": config_map("a")}, "a", using=small))[0]


async def test_the_event_loop_goes_on_while_much_is_parsed(renderer, repository):
    data = "\n".join(f"  key{number}: value" for number in range(30_000))
    git = repository({"a/a.yaml": config_map("a", f"data:\n{data}\n")})
    rendering = asyncio.create_task(renderer.render(job(git, "a")))
    longest = 0.0
    while not rendering.done():
        start = time.perf_counter()
        await asyncio.sleep(0.005)
        longest = max(longest, time.perf_counter() - start)
    assert len((await rendering).manifests) == 1
    assert longest < 1.0


def test_the_tools_are_part_of_the_key(renderer):
    assert renderer.tools == {
        "kustomize": VERSION,
        "jsonnet": jsonnet.VERSION,
        "helm": HELM_VERSION,
        "sops": SOPS_VERSION,
    }

"""Charts before helm sees them: descriptions, dependencies, values files, and the command that is run."""

import pytest

from trimtab.api.application import ApplicationSpec
from trimtab.core.errors import RenderError
from trimtab.render.helm_chart import chart_folder, read_chart, read_dependencies, refused_links
from trimtab.render.helm_command import ENVIRONMENT, Release, arguments, release
from trimtab.render.helm_dependencies import MAX_COPIES, Need, archive, refusal, subcharts, supply
from trimtab.render.helm_files import values_path
from trimtab.render.inputs import Capabilities, InputRef, wanted_inputs


def described(name="c", api="v2", more=""):
    return f"apiVersion: {api}\nname: {name}\nversion: 0.1.0\n{more}".encode()


def needing(*entries, name="c", api="v2"):
    return described(name, api, "dependencies:\n" + "".join(f"- {entry}\n" for entry in entries))


@pytest.mark.parametrize(
    ("files", "path", "folder"),
    [
        ({"c/Chart.yaml"}, "c", "c"),
        ({"Chart.yaml", "x/y"}, "", ""),
        ({"c/Chart.yaml", "c/values.yaml"}, "", "c"),
        ({"c/Chart.yaml", "README.md"}, "", None),
        ({"c/Chart.yaml", "d/x"}, "", None),
        ({"c/d/Chart.yaml"}, "c", None),
        ({"c/Chart.yaml"}, "d", None),
        (set(), "", None),
    ],
)
def test_a_folder_with_a_description_is_a_chart(files, path, folder):
    assert chart_folder(frozenset(files), path) == folder


def test_a_description_is_read():
    entry = "{name: db, version: '>=1 <2', repository: 'https://x', alias: my_db}"
    chart = read_chart(needing(entry), "c/Chart.yaml")
    (dependency,) = chart.dependencies
    assert (chart.name, chart.library, chart.old, chart.file) == ("c", False, False, "c/Chart.yaml")
    assert (dependency.name, dependency.version, dependency.repository) == ("db", ">=1 <2", "https://x")
    assert dependency.alias == "my_db"
    assert read_chart(described(more="type: library"), "x").library
    assert read_chart(described(api="v1"), "x").old


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "not one mapping"),
        (b"[]", "not one mapping"),
        (b"a: [", "not valid YAML"),
        (described("../x"), "the chart's name is not valid"),
        (b"version: 1.0.0", "the chart's name is not valid"),
        (described(more="dependencies: {a: b}"), "dependencies are no list"),
        (needing("text"), "dependencies[0].name is not valid"),
        (needing("{name: a, version: '1;rm'}"), "dependencies[0].version is not valid"),
        (needing("{name: a, repository: '../x'}"), "dependencies[0].repository is not valid"),
    ],
)
def test_a_description_that_is_wrong_is_refused(data, told):
    with pytest.raises(RenderError) as caught:
        read_chart(data, "c/Chart.yaml")
    assert str(caught.value.problems[0]).startswith("c/Chart.yaml")
    assert told in str(caught.value)


def test_other_files_with_dependencies_are_checked_as_well():
    with pytest.raises(RenderError, match=r"dependencies\[0\].name is not valid"):
        read_dependencies(b"dependencies: [{name: ..}]", "c/Chart.lock")


def test_links_count_only_in_the_place_of_a_charts_own_files():
    links = {"c/Chart.lock": "x", "c/templates/Chart.lock": "x", "d/Chart.lock": "x"}
    assert [str(problem.origin) for problem in refused_links(links, "c")] == ["c/Chart.lock"]


LOCK = b"dependencies: [{name: far, version: 1.4.2, repository: 'oci://r/far'}]\ndigest: sha256:1\n"


class Files(dict):
    """A source in memory."""

    @property
    def names(self):
        return frozenset(self)


def test_what_must_be_fetched_is_listed_with_the_version_of_the_lock():
    far, open_, near = (
        "{name: far, version: ^1.0, repository: 'https://r'}",
        "{name: open, version: 2.x}",
        "{name: near}",
    )
    local = "{name: local, repository: 'file://../local'}"
    files = Files(
        {"c/Chart.yaml": needing(far, open_, near, local), "c/Chart.lock": LOCK, "c/charts/near-1.0.tgz": b""}
    )
    found = supply("c", files.names, files.get).needs
    assert found == [
        Need("far", "1.4.2", "oci://r/far", "c/charts/far", locked=True, file="c/Chart.lock"),
        Need("open", "2.x", "", "c/charts/open"),
    ]
    assert [need.fetchable for need in found] == [True, False]
    del files["c/Chart.lock"]
    without = supply("c", files.names, files.get).needs[0]
    assert without == Need("far", "^1.0", "https://r", "c/charts/far")
    assert not without.fetchable, "the same commit would mean something else tomorrow"


def test_charts_of_the_first_format_keep_dependencies_apart():
    files = Files({"Chart.yaml": described(api="v1"), "requirements.yaml": b"dependencies: [{name: far}]"})
    assert supply("", files.names, files.get).needs == [Need("far", "", "", "charts/far")]
    files["requirements.lock"] = LOCK
    assert supply("", files.names, files.get).needs == [
        Need("far", "1.4.2", "oci://r/far", "charts/far", locked=True, file="requirements.lock")
    ]


def test_local_charts_are_copied_with_what_they_need():
    files = Files(
        {
            "apps/c/Chart.yaml": needing("{name: one, repository: 'file://../../libs/one'}"),
            "libs/one/Chart.yaml": needing("{name: two, repository: 'file://../two'}", name="one"),
            "libs/two/Chart.yaml": described("two"),
        }
    )
    found = supply("apps/c", files.names, files.get)
    assert found.copies == [
        ("libs/one", "apps/c/charts/one"),
        ("libs/two", "apps/c/charts/one/charts/two"),
    ]
    assert found.folders == {"libs/one", "libs/two"}
    assert (found.problems, found.needs) == ([], [])


def test_a_chart_wanted_under_two_names_is_copied_once():
    entry = "{name: one, repository: 'file://../one', alias: %s}"
    files = Files({"c/Chart.yaml": needing(entry % "a", entry % "b"), "one/Chart.yaml": described("one")})
    assert supply("c", files.names, files.get).copies == [("one", "c/charts/one")]


def test_what_is_vendored_is_not_looked_for():
    entry = "{name: one, repository: 'file://../gone'}"
    files = Files({"c/Chart.yaml": needing(entry), "c/charts/any/Chart.yaml": described("one")})
    found = supply("c", files.names, files.get)
    assert (found.copies, found.folders, found.problems) == ([], set(), [])


def test_a_chart_at_the_root_may_use_one_below_but_not_the_other_way_round():
    files = Files(
        {"Chart.yaml": needing("{name: one, repository: 'file://./one'}"), "one/Chart.yaml": described("one")}
    )
    assert supply("", files.names, files.get).copies == [("one", "charts/one")]
    files["one/Chart.yaml"] = needing("{name: c, repository: 'file://..'}", name="one")
    (problem,) = supply("one", files.names, files.get).problems
    assert "holds the chart that needs it" in str(problem)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("file:///etc", "leaves the source"),
        ("file://../../x", "leaves the source"),
        ("file://../gone", "is not at file://../gone"),
        ("file://../c", "holds the chart that needs it"),
    ],
)
def test_local_charts_that_are_not_there_are_refused(address, told):
    files = Files({"c/Chart.yaml": needing(f"{{name: one, repository: '{address}'}}")})
    found = supply("c", files.names, files.get)
    assert [told in str(problem) for problem in found.problems] == [True]
    assert found.copies == []


def test_what_nobody_has_fetched_is_told_with_its_version():
    files = Files({"c/Chart.yaml": needing("{name: far, version: 1.x}"), "c/Chart.lock": LOCK})
    found = supply("c", files.names, files.get)
    (told,) = (str(refusal(need, "c/Chart.yaml")) for need in found.needs)
    assert told.startswith("c/Chart.yaml: the dependency far 1.4.2 of oci://r/far is not in charts/ (add it")
    assert "far 1.x is not in charts/" in str(refusal(Need("far", "1.x", ""), "c/Chart.yaml"))


def test_copies_are_bounded():
    entries = "{name: l%d, repository: 'file://../l%d'}"
    files = Files()
    for level in range(12):
        more = [entries % (level + step, level + step) for step in (1, 2)] if level < 10 else []
        files[f"l{level}/Chart.yaml"] = needing(*more, name=f"l{level}")
    found = supply("l0", files.names, files.get)
    assert len(found.copies) == MAX_COPIES
    assert "more than 200 local dependencies" in str(found.problems[0])


def test_the_objects_that_hold_values_are_wanted():
    references = [{"kind": "Secret", "name": "s"}, {"kind": "ConfigMap", "name": "m"}, {"kind": "Secret", "name": "s"}]
    assert wanted_inputs(spec(helm={"valuesFrom": references})) == {InputRef("Secret", "s"), InputRef("ConfigMap", "m")}
    assert wanted_inputs(spec()) == frozenset()


def test_capabilities_are_told_apart_by_their_digest():
    seen = Capabilities("v1.36.3", ("v1",))
    assert seen.digest == Capabilities("v1.36.3", ("v1",)).digest
    assert len({seen.digest, Capabilities("v1.36.4", ("v1",)).digest, Capabilities("v1.36.3").digest}) == 3


def test_a_local_chart_that_cannot_be_read_is_told_at_its_place():
    entry = "{name: one, repository: 'file://../one'}"
    files = Files({"c/Chart.yaml": needing(entry), "one/Chart.yaml": b"["})
    (problem,) = supply("c", files.names, files.get).problems
    assert str(problem).startswith("one/Chart.yaml")
    assert supply("nowhere", files.names, files.get).problems == []


def test_unpacked_and_packed_charts_are_found_by_name():
    files = Files(
        {
            "c/charts/x/Chart.yaml": described("db"),
            "c/charts/x/charts/y/Chart.yaml": described("deep"),
            "c/charts/bad/Chart.yaml": b"[",
            "c/charts/db-ha-1.0.0.tgz": b"",
            "c/charts/web-v2.1.tgz": b"",
        }
    )
    assert subcharts("c", files.names, files.get) == {"db": "c/charts/x"}
    assert archive("db", "c", files.names) is None
    assert archive("db-ha", "c", files.names) == "c/charts/db-ha-1.0.0.tgz"
    assert archive("web", "c", files.names) == "c/charts/web-v2.1.tgz"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("values.yaml", ("", "apps/c/values.yaml")),
        ("../../envs/prod.yaml", ("", "envs/prod.yaml")),
        ("./a//b.yaml", ("", "apps/c/a/b.yaml")),
        ("$other/x/y.yaml", ("other", "x/y.yaml")),
        ("$other/x/../y.yaml", ("other", "y.yaml")),
    ],
)
def test_values_files_are_found_in_their_source(text, found):
    assert values_path(text, "apps/c", frozenset({"other"})) == found


@pytest.mark.parametrize(
    "text",
    ["../../../x", "/etc/passwd", "$other/../x", "$none/x", "$other", "http://x/y", "a\\b", "a\nb", "../..", "$/x"],
)
def test_values_files_that_lead_away_are_refused(text):
    with pytest.raises(RenderError) as caught:
        values_path(text, "apps/c", frozenset({"other"}))
    assert caught.value.reason == "InvalidValues"


def spec(**fields):
    return ApplicationSpec.model_validate({"sourceRef": {"name": "s"}, "prune": True, **fields})


def test_the_command_says_what_the_spec_and_the_cluster_say():
    seen = Capabilities("v1.36.3+k3s1", ("apps/v1", "apps/v1/Deployment", "not a version,--x", "v1"))
    made = arguments(Release("r", "n"), "/tree/c", spec(), seen)
    assert made[:7] == ["template", "r", "/tree/c", "--namespace", "n", "--values", "-"]
    assert made[7:] == [
        "--include-crds",
        "--kube-version",
        "v1.36.3+k3s1",
        "--api-versions",
        "apps/v1,apps/v1/Deployment,v1",
    ]
    helm = {"includeCRDs": False, "skipTests": True, "kubeVersion": "1.31", "apiVersions": ["x/v1"]}
    made = arguments(Release("r", "n"), "/tree/c", spec(helm=helm), seen)
    assert made[7:] == ["--skip-tests", "--kube-version", "1.31", "--api-versions", "x/v1"]
    assert arguments(Release("r", "n"), "/c", spec(), Capabilities())[7:] == ["--include-crds"]


def test_many_apis_fit_into_the_arguments():
    seen = Capabilities("", tuple(f"g{number}.example.com/v1/{'K' * 63}" for number in range(3000)))
    made = arguments(Release("r", "n"), "/c", spec(), seen)
    lists = [made[at + 1] for at, part in enumerate(made) if part == "--api-versions"]
    assert ",".join(lists).split(",") == list(seen.api_versions)
    assert max(map(len, lists)) < 128 * 1024


def test_helm_has_no_home():
    assert all(value == "1" or value.startswith("/nonexistent/") for value in ENVIRONMENT.values())


@pytest.mark.parametrize(
    ("fields", "name", "found"),
    [
        ({}, "shop", Release("shop", "team")),
        ({"targetNamespace": "prod"}, "shop", Release("shop", "prod")),
        ({"helm": {"releaseName": "other.one"}}, "shop", Release("other.one", "team")),
        ({}, "a" * 53, Release("a" * 53, "team")),
    ],
)
def test_a_release_is_named_after_its_application(fields, name, found):
    assert release(spec(**fields), name, "team") == found


def test_long_names_are_cut_and_stay_different():
    names = {release(spec(), "a" * 60 + end, "team").name for end in "xy"}
    assert len(names) == 2
    assert all(len(name) == 53 and name.startswith("a" * 40 + "-") for name in names)


@pytest.mark.parametrize(("name", "namespace"), [("--post-renderer=x", "n"), ("A", "n"), ("a", "--x"), ("a", "")])
def test_names_that_are_none_are_refused(name, namespace):
    with pytest.raises(RenderError) as caught:
        release(spec(), name, namespace)
    assert caught.value.reason == "InvalidRelease"

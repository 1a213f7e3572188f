"""spec.postBuild over the real kustomize and over plain files: values, places, and secrets that stay untold."""

import pytest
from tests.integration.render.conftest import job

from trimtab.adapters.process.renderer import KustomizeRenderer
from trimtab.core.errors import RenderError

WEB = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${NAME:=web}
  namespace: ${ENVIRONMENT}
spec:
  replicas: ${REPLICAS}
  template:
    spec:
      containers:
        - name: web
          image: "example.org/web:${TAG}"
          env: [{name: LIMIT, value: "${REPLICAS}"}]
"""
SCRIPT = """apiVersion: v1
kind: ConfigMap
metadata:
  name: script
  annotations: {trimtab.dev/substitute: disabled}
data: {run.sh: 'echo ${HOME} ${list[@]}'}
"""
FILES = {
    "plain/web.yaml": "# words\n" + WEB,
    "plain/script.yaml": SCRIPT,
    "built/kustomization.yaml": "resources: [../plain/web.yaml, ../plain/script.yaml]\nnamePrefix: my-\n",
}
POST_BUILD = {
    "substitute": {"ENVIRONMENT": "prod", "TAG": "1.30"},
    "substituteFrom": [{"kind": "ConfigMap", "name": "sizes"}, {"kind": "Secret", "name": "keys", "optional": True}],
}
INPUTS = {("ConfigMap", "sizes"): {"REPLICAS": b"3", "TAG": b"0"}, ("Secret", "keys"): None}


@pytest.fixture
def render(programs, repository):
    renderer = KustomizeRenderer(kustomize=programs["kustomize"])

    async def start(path, post_build=POST_BUILD, inputs=INPUTS, files=FILES, **spec):
        given = job(repository(files), path, inputs=inputs, postBuild=post_build, **spec)
        return {each.ref.kind: each for each in (await renderer.render(given)).manifests}

    return start


@pytest.fixture
def problems(render):
    async def start(*arguments, **options):
        with pytest.raises(RenderError) as refused:
            await render(*arguments, **options)
        return [str(problem) for problem in refused.value.problems]

    return start


@pytest.mark.parametrize(("path", "name"), [("plain", "web"), ("built", "my-web")])
async def test_values_come_after_the_build(render, path, name):
    found = await render(path)
    web = found["Deployment"]
    assert (web.ref.namespace, web.ref.name) == ("prod", name)
    assert web.body["spec"]["replicas"] == 3
    container = web.body["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "example.org/web:1.30"
    assert container["env"] == [{"name": "LIMIT", "value": "3"}]
    assert found["ConfigMap"].body["data"] == {"run.sh": "echo ${HOME} ${list[@]}"}
    assert str(web.origin) == "plain/web.yaml:2"


@pytest.mark.parametrize("path", ["plain", "built"])
async def test_all_undefined_variables_are_told_where_they_stand(problems, path):
    told = await problems(path, {"substitute": {"TAG": "1"}})
    places = sorted({text.partition(": ")[0] for text in told})
    assert places == ["plain/web.yaml:6", "plain/web.yaml:8"]
    assert sum("variable REPLICAS has no value" in text for text in told) == 2


async def test_without_any_variable_nothing_is_looked_for_unless_always(render, problems):
    found = await render(
        "plain",
        {"substituteFrom": []},
        files={"plain/script.yaml": SCRIPT, "plain/a.yaml": WEB.replace("${ENVIRONMENT}", "x")},
    )
    assert found["Deployment"].body["spec"]["replicas"] == "${REPLICAS}"
    assert await problems("plain", {"substituteStrategy": "Always"})


async def test_not_strict_puts_in_nothing(render):
    found = await render("plain", {"substitute": {"ENVIRONMENT": "prod"}, "strict": False})
    assert found["Deployment"].body["spec"]["replicas"] is None


async def test_a_missing_object_that_is_not_optional_is_named(problems):
    (told,) = await problems("plain", inputs={("ConfigMap", "sizes"): None, ("Secret", "keys"): None})
    assert told.startswith("ConfigMap sizes of spec.postBuild.substituteFrom: it does not exist (create it in the")


async def test_a_secrets_value_is_in_no_problem(problems):
    secret = {"ENVIRONMENT": b"CANARY/not-a-namespace", "REPLICAS": b"CANARY"}
    told = await problems(
        "plain",
        inputs={**INPUTS, ("Secret", "keys"): secret},
        post_build={"substitute": {"TAG": "1"}, "substituteFrom": [{"kind": "Secret", "name": "keys"}]},
    )
    assert any("metadata.namespace" in text for text in told)
    assert "CANARY" not in " ".join(told)


async def test_values_see_the_specs_own_kustomize_and_come_before_common_metadata(render):
    kustomize = {
        "patches": [{"target": {"kind": "Deployment"}, "patch": "- {op: add, path: /spec/paused, value: '${PAUSED}'}"}],
        "commonMetadata": {"labels": {"note": "${TAG}"}},
    }
    post_build = POST_BUILD | {"substitute": {"ENVIRONMENT": "prod", "TAG": "1", "PAUSED": "true"}}
    found = await render("plain", post_build, kustomize=kustomize)
    assert found["Deployment"].body["spec"]["paused"] is True
    assert found["Deployment"].body["metadata"]["labels"] == {"note": "${TAG}"}

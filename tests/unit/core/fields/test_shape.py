from trimtab.core.fields.managed import ManagedEntry
from trimtab.core.fields.path import field, fields, keyed, text_of, valued
from trimtab.core.fields.shape import Shaper


def entry(tree):
    return ManagedEntry.read({"manager": "m", "operation": "Update", "fieldsV1": tree})


def texts(body, *trees):
    return {text_of(path) for path in Shaper(entry(tree) for tree in trees).paths(body)}


def test_well_known_lists_are_keyed_and_others_atomic():
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "n", "labels": {"a": "b"}, "finalizers": ["f"]},
        "spec": {
            "containers": [{"name": "web", "args": ["x"], "ports": [{"containerPort": 80}], "resources": {}}],
            "volumes": [],
        },
        "status": {"phase": "Running"},
    }
    web = "spec.containers[name=web]"
    assert texts(body) == {
        "metadata.labels.a",
        "metadata.finalizers[=f]",
        web,
        f"{web}.name",
        f"{web}.args",
        f"{web}.ports[containerPort=80,protocol=TCP]",
        f"{web}.ports[containerPort=80,protocol=TCP].containerPort",
        f"{web}.resources",
        "spec.volumes",
    }


def test_a_service_and_a_container_key_their_ports_differently():
    body = {"spec": {"ports": [{"port": 53, "protocol": "UDP"}]}}
    step = keyed({"port": 53, "protocol": "UDP"})
    at = (*fields("spec", "ports"), step)
    assert Shaper(()).paths(body) == {at, (*at, field("port")), (*at, field("protocol"))}


def test_keys_are_learnt_from_managed_fields():
    body = {"spec": {"routes": [{"id": 1, "to": "a"}], "tags": ["x"], "steps": [{"id": 1}]}}
    tree = {"f:spec": {"f:routes": {'k:{"id":7}': {".": {}}}, "f:tags": {'v:"y"': {}}}}
    route = (*fields("spec", "routes"), keyed({"id": 1}))
    assert Shaper([entry(tree)]).paths(body) == {
        route,
        (*route, field("id")),
        (*route, field("to")),
        (*fields("spec", "tags"), valued("x")),
        fields("spec", "steps"),
    }


def test_a_key_field_left_to_its_default_is_read_off_the_servers_own_key():
    tree: dict = {"f:spec": {"f:ends": {'k:{"at":1,"by":"tram"}': {".": {}}, 'k:{"at":2,"by":"foot"}': {".": {}}}}}
    assert "spec.ends[at=1,by=tram]" in texts({"spec": {"ends": [{"at": 1}]}}, tree)
    assert "spec.ends[at=3,by=null]" in texts({"spec": {"ends": [{"at": 3}]}}, tree)


def test_a_keyed_list_that_holds_something_else_counts_as_atomic():
    assert texts({"spec": {"containers": ["web", None]}}) == {"spec.containers"}


def test_nulls_and_empty_maps_are_leaves_and_an_empty_object_has_none():
    assert texts({"data": None, "spec": {"x": {}}}) == {"data", "spec.x"}
    assert texts({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}) == set()

from trimtab.core.fields.managed import ManagedEntry, entries_of, our_entry, our_paths, our_tree, written
from trimtab.core.fields.path import fields

OURS = {
    "manager": "trimtab",
    "operation": "Apply",
    "apiVersion": "apps/v1",
    "time": "2026-01-01T00:00:00Z",
    "fieldsType": "FieldsV1",
    "fieldsV1": {"f:spec": {"f:replicas": {}}},
}
SCALE = {
    "manager": "kubectl",
    "operation": "Update",
    "apiVersion": "apps/v1",
    "subresource": "scale",
    "fieldsType": "FieldsV1",
    "fieldsV1": {"f:spec": {"f:replicas": {}}},
}


def body(*entries):
    return {"metadata": {"managedFields": list(entries)}}


def test_entries_survive_being_read_and_written():
    assert written(entries_of(body(OURS, SCALE))) == [OURS, SCALE]


def test_ours_is_the_apply_entry_alone():
    lookalikes = [
        {**OURS, "operation": "Update"},
        {**OURS, "subresource": "status"},
        {**OURS, "manager": "other"},
    ]
    assert our_entry(body(*lookalikes)) is None
    assert our_tree(body(*lookalikes)) is None
    entry = our_entry(body(*lookalikes, OURS))
    assert entry is not None
    assert entry.ours
    assert entry.paths == our_paths(body(OURS)) == {fields("spec", "replicas")}
    assert our_tree(body(OURS)) == ("apps/v1", OURS["fieldsV1"])
    assert not any(ManagedEntry.read(entry).ours for entry in lookalikes)


def test_an_object_without_managed_fields_has_no_entries():
    assert entries_of({"metadata": {}}) == ()
    assert entries_of({"metadata": {"managedFields": None}}) == ()
    assert our_paths({}) == frozenset()


def test_an_empty_entry_reads_as_one_that_owns_nothing_and_is_not_written():
    empty = ManagedEntry.read({})
    assert empty.paths == frozenset()
    assert written([empty, ManagedEntry.read(OURS).without(frozenset({fields("spec", "replicas")}))]) == []

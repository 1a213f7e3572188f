"""Random paths and objects for the property tests of fields and drift."""

from hypothesis import strategies as st

from trimtab.core.fields.path import Path, SegmentKind, field, keyed, segment, valued

names = st.text(min_size=1, max_size=6)
scalars = st.one_of(st.text(max_size=5), st.integers(-9, 9), st.booleans(), st.none())
segments = st.one_of(
    names.map(field),
    st.dictionaries(names, scalars, min_size=1, max_size=2).map(keyed),
    scalars.map(valued),
    st.integers(0, 99).map(lambda index: segment(f"{SegmentKind.INDEX.value}:{index}")),
)
paths: st.SearchStrategy[Path] = st.lists(segments, min_size=1, max_size=5).map(tuple)
path_sets = st.frozensets(paths, max_size=12)

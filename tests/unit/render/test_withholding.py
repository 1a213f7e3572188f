"""Problems are told as they are, unless they would show what was decrypted."""

from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.errors import Problem
from trimtab.core.manifest import Origin
from trimtab.render.withholding import Withholding

WHERE = Origin("a.yaml", 3)


def withholding():
    made = Withholding()
    made.note(b"name: web\npassword: hunter2-and-more\n", b"name: web\npassword: ENC[xyz]\nsops: {}\n")
    return made


def test_what_shows_a_decrypted_word_loses_its_words_and_keeps_its_place():
    problem = Problem("cannot read 'hunter2", origin=WHERE, remedy="look", reason="InvalidManifest")
    (told,) = withholding()([problem])
    assert "hunter" not in str(told)
    assert (told.origin, told.reason) == (WHERE, "InvalidManifest")
    assert told.remedy == "decrypt a.yaml with sops and check it"
    (told,) = withholding()([Problem("wrong", remedy="drop hunter2-and-more")])
    assert told.remedy == "decrypt the build with sops and check it"


def test_other_problems_stay():
    problems = (Problem("duplicate key 'password'", origin=WHERE), Problem("web is declared twice"))
    assert withholding()(problems) == problems
    assert Withholding()(problems) == problems


@given(st.text(alphabet="abc123-_/+=", min_size=3, max_size=30), st.text(max_size=20), st.text(max_size=20))
def test_no_decrypted_value_passes(value, before, after):
    made = Withholding()
    made.note(f"key: {value}\n".encode(), b"key: ENC[]")
    (told,) = made([Problem(f"{before}{value}{after}")])
    assert value not in told.message

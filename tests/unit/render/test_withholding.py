"""Problems are told as they are, unless they would show what was decrypted."""

from hypothesis import given
from hypothesis import strategies as st

from trimtab.core.errors import Problem
from trimtab.core.manifest import Origin
from trimtab.render.first_problems import TOLD
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


class Counted(set[str]):
    """Words that are looked up, never gone through."""

    looks = 0

    def __contains__(self, word):
        self.looks += 1
        return super().__contains__(word)

    def __iter__(self):
        raise AssertionError("a file may have millions of words")


def test_what_a_message_costs_does_not_grow_with_the_file():
    made = Withholding()
    made._words = words = Counted(f"word{number}" for number in range(10_000))
    message = "metadata.name 'Zz!' is not valid"
    assert made([Problem(message)]) == (Problem(message),)
    assert 0 < words.looks <= len(message) * 64
    assert made([Problem("it is word77!")])[0].message.startswith("is wrong in a way")


def test_many_problems_are_told_by_their_number():
    problems = [Problem(f"wrong {number}") for number in range(TOLD + 7)]
    told = withholding()(problems)
    assert told[:-1] == tuple(problems[:TOLD])
    assert told[-1].message == "7 more problems are not told"
    assert withholding()(problems[:TOLD]) == tuple(problems[:TOLD])


@given(st.integers(60, 70), st.text(alphabet="abc", min_size=1, max_size=5))
def test_long_words_are_known_by_their_beginning(length, after):
    made = Withholding()
    made.note(b"x" * length, b"")
    (told,) = made([Problem("x" * length + after)])
    assert "xxx" not in told.message

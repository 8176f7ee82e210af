import pytest

from core.errors import InvalidRequest, Problem


@pytest.mark.parametrize(
    ("path", "message", "sentence"),
    [
        ("temperature", "temperature must be between 0 and 2, got 3", "temperature must be between 0 and 2, got 3"),
        ("orq.retry.count", "count must be between 1 and 5, got 9", "orq.retry.count must be between 1 and 5, got 9"),
        ("extra", "This is not JSON", "extra: This is not JSON"),
        ("", "The body must be an object", "The body must be an object"),
    ],
)
def test_sentence_names_the_place_once(path, message, sentence):
    assert Problem(path, message).sentence == sentence


def test_invalid_request_tells_its_first_problem_and_how_many_more():
    error = InvalidRequest((Problem("n", "n must be 1 or more, got 0"), Problem("seed", "seed must be a whole number")))
    assert error.cause == "n must be 1 or more, got 0 (and 1 more)"
    assert len(error.problems) == 2

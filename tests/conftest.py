"""Fixtures that every kind of test may ask for; those of the cluster start nothing until a test names them."""

pytest_plugins = ["tests.fixtures.cluster", "tests.fixtures.git_server"]

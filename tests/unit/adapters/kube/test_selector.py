from trimtab.adapters.kube.selector import bucket_selector


def test_buckets_are_named_once_and_in_order() -> None:
    assert bucket_selector("ab12", [3, 1, 3]) == "trimtab.dev/bucket in (ab12-1,ab12-3)"


def test_all_buckets_by_default() -> None:
    selector = bucket_selector("ab12")

    assert selector.count(",") == 255
    assert "ab12-255" in selector

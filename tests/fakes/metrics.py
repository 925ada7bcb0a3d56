"""What a metric of ours counted, as a Prometheus would read it."""

from prometheus_client import Counter, Histogram


def value_of(metric: Counter | Histogram, *labels: str, part: str = "_total") -> float:
    """The value of one series; of a histogram *part* is `_count` or `_sum`."""
    [value] = [
        sample.value
        for family in metric.collect()
        for sample in family.samples
        if sample.name.endswith(part) and tuple(sample.labels.values()) == labels
    ]
    return value


def by_label(counter: Counter) -> dict[str, float]:
    """The values of a counter with one label, without those that are zero."""
    samples = [sample for family in counter.collect() for sample in family.samples]
    found = {next(iter(s.labels.values())): s.value for s in samples if s.name.endswith("_total")}
    return {label: value for label, value in found.items() if value}

"""Two busy cores: no wall-clock deadlines; `HYPOTHESIS_EXAMPLES` asks for a longer search than every run can afford."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "pure",
    deadline=None,
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "40")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("pure")

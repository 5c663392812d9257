"""Crontabs and timers: when something starts, and by which command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elo_gate.kinds import schedule
from elo_gate.model import Artifact, Source


class Project:
    """Files by path."""

    def __init__(self, **files: str) -> None:
        self.files = files

    def read(self, path: str) -> Source | None:
        text = self.files.get(path)
        return None if text is None else Source(path, text)


def jobs(text: str, path: str = "crontab", project: Project | None = None) -> list[tuple[str, str]]:
    made = Artifact(Source(path, text), "schedule")
    made.project = project
    schedule.load(made)
    found = schedule.VIEWS["jobs"](made)
    for job in found:
        for node in (job.facts["when"], job.facts["command"]):
            assert node.source.text[node.start : node.end].strip() == node.value
    return [(job.facts["when"].value, job.facts["command"].value) for job in found]


def test_lines_of_a_crontab() -> None:
    text = (
        "# m h dom mon dow command\n"
        "SHELL=/bin/bash\n"
        "30 2 * * 1-5 /opt/backup.sh --all  \n"
        "*/5 * * * * root cd /srv && ./tick\n"
        "@daily docker exec db pg_dump shop\n"
        "0 4 * jan sun find /tmp -delete\n"
    )
    assert jobs(text) == [
        ("30 2 * * 1-5", "/opt/backup.sh --all"),
        ("*/5 * * * *", "cd /srv && ./tick"),
        ("@daily", "docker exec db pg_dump shop"),
        ("0 4 * jan sun", "find /tmp -delete"),
    ]


def test_a_timer_starts_the_service_of_its_name_or_the_unit_it_names() -> None:
    timer = "[Timer]\nOnCalendar=*-*-* 03:00\nPersistent=true\n"
    project = Project(
        **{
            "ops/backup.service": "[Service]\nExecStart=-/opt/backup.sh \\\n  --all\n",
            "ops/x.service": "ExecStart=/opt/x\n",
        }
    )
    assert jobs(timer, "ops/backup.timer", project) == [("*-*-* 03:00", "/opt/backup.sh \\\n  --all")]
    assert jobs(timer + "Unit=x.service\n", "ops/backup.timer", project) == [("*-*-* 03:00", "/opt/x")]


@pytest.mark.parametrize(
    ("path", "text", "wanted"),
    [
        ("crontab", "", True),
        ("ops/cron.d/README", "Put files here.\n", False),
        ("ops/cron.d/shop", "0 3 * * * root /opt/x\n", True),
        ("ops/backup.timer", "", True),
        ("lib/egg.timer", "class Timer {}", False),
    ],
)
def test_which_files_are_schedules(path: str, text: str, wanted: bool) -> None:
    assert schedule.looks_like(path, text) is wanted


@given(st.text(alphabet="*/0123 @dailyOnCedar=\n[Timer]root", max_size=80), st.sampled_from(["crontab", "a/b.timer"]))
def test_any_text_is_read(text: str, path: str) -> None:
    jobs(text, path)

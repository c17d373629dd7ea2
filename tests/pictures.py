"""Draws what is drawn from the page itself: the icons, and the pictures of the documentation.

It needs Debian's Chromium and the dependency group `browser`: task pictures
"""

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, sync_playwright

from fast_zero.web import static_files
from tests.browser.conftest import FLAGS, PASSWORD, find_chromium
from tests.processes import serving

FOLDER = Path(__file__).parents[1] / "docs/pictures"

MARK = (static_files.FOLDER / "mark.svg").read_text()
SHAPES = MARK[MARK.index("<ellipse") : MARK.index("</svg>")]
GREEN = "#0a6a56"
# The name, the size, the radius of the corners, and how much of the icon the mark takes. Of a
# maskable one, platforms cut off what is outside of a circle of four fifths.
ICONS = (
    ("icon-192.png", 192, 0.22, 0.66),
    ("icon-512.png", 512, 0.22, 0.66),
    ("maskable-512.png", 512, 0, 0.52),
)
# Of each todo: its title, the days from today, the hour, and more.
WEEKLY = {"recurrence": {"rule": "RRULE:FREQ=WEEKLY"}}
TEXTS: dict[str, dict[str, Any]] = {
    "pt-BR": {
        "name": "Ana Lúcia",
        "projects": ["Casa", "Trabalho", "Curso de inglês"],
        "todos": [
            ("Pagar a conta de luz", -3, "", {"priority": "high", "project": 0}),
            ("Comprar pão e café", 0, "", {"labels": ["mercado"]}),
            ("Enviar o relatório semanal", 0, "14:00:00", {"priority": "medium", "project": 1}),
            ("Ligar para o dentista", 0, "16:30:00", {}),
            ("Fazer a lição 7", 0, "19:00:00", {"project": 2, **WEEKLY}),
            ("Regar as plantas", 0, "", {"state": "done", "project": 0}),
            ("Consertar a torneira", 2, "", {"project": 0}),
        ],
    },
    "en": {
        "name": "Ana Lucia",
        "projects": ["Home", "Work", "English course"],
        "todos": [
            ("Pay the power bill", -3, "", {"priority": "high", "project": 0}),
            ("Buy bread and coffee", 0, "", {"labels": ["groceries"]}),
            ("Send the weekly report", 0, "14:00:00", {"priority": "medium", "project": 1}),
            ("Call the dentist", 0, "16:30:00", {}),
            ("Do lesson 7", 0, "19:00:00", {"project": 2, **WEEKLY}),
            ("Water the plants", 0, "", {"state": "done", "project": 0}),
            ("Fix the tap", 2, "", {"project": 0}),
        ],
    },
}


def icon(size: int, radius: float, part: float) -> str:
    inset = 10 / part - 10
    box = f"{-inset} {-inset} {20 + 2 * inset} {20 + 2 * inset}"
    corner = radius * (20 + 2 * inset)
    return (
        f'<style>body {{ margin: 0 }}</style><svg xmlns="http://www.w3.org/2000/svg"'
        f' width="{size}" height="{size}" viewBox="{box}" style="display: block">'
        f'<rect x="{-inset}" y="{-inset}" width="100%" height="100%" rx="{corner}" fill="{GREEN}"/>'
        f'<g fill="none" stroke="#fff" stroke-width="1.9" stroke-linecap="round"'
        f' stroke-linejoin="round">{SHAPES}</g></svg>'
    )


def draw_icons(browser: Browser) -> None:
    for name, size, radius, part in ICONS:
        page = browser.new_page(viewport={"width": size, "height": size})
        page.set_content(icon(size, radius, part))
        page.screenshot(path=static_files.FOLDER / name, omit_background=True)
        page.close()


class Drawing:
    """The account that is drawn, in one language."""

    def __init__(self, browser: Browser, url: str, language: str) -> None:
        self.browser, self.url, self.texts = browser, url, TEXTS[language]
        self.language = language
        self.api = browser.new_context(base_url=url).request

    def create(self, path: str, **values: object) -> dict[str, Any]:
        response = self.api.post(path, data=values, headers=self.headers)
        if not response.ok:
            raise RuntimeError(response.text())
        return dict(response.json())

    def register(self) -> None:
        name, self.headers = self.texts["name"], dict[str, str]()
        self.email = f"{self.language}@example.com"
        self.create("/users/", username=name, email=self.email, password=PASSWORD)
        form = {"username": self.email, "password": PASSWORD}
        token = self.api.post("/auth/token", form=form).json()["access_token"]
        self.headers = {"Authorization": f"Bearer {token}"}
        mine = {"time_zone": morning(), "language": self.language}
        self.api.patch("/users/me", data=mine, headers=self.headers)

    def fill(self) -> None:
        projects = [
            self.create("/projects", name=name, color=color)["id"]
            for name, color in zip(self.texts["projects"], ("teal", "blue", "violet"), strict=True)
        ]
        zone = morning()
        today = datetime.now(ZoneInfo(zone)).date()
        for title, days, hour, more in self.texts["todos"]:
            day = today + timedelta(days=days)
            values = {"due_on": day.isoformat(), **more}
            if hour:
                at = datetime.combine(day, time.fromisoformat(hour), ZoneInfo(zone))
                values |= {"due_on": None, "due_at": at.isoformat(), "time_zone": zone}
            if "project" in values:
                values["project_id"] = projects[values.pop("project")]
            self.create("/todos", title=title, **values)

    def draw(self, name: str, scheme: str, size: Mapping[str, int], scale: float) -> None:
        page = self.browser.new_page(
            base_url=self.url, viewport=size, color_scheme=scheme, device_scale_factor=scale,
            locale=self.language, reduced_motion="reduce",
        )  # fmt: skip
        page.goto("/app/login")
        page.fill("#username", self.email)
        page.fill("#password", PASSWORD)
        page.click("form.main button")
        page.wait_for_url("**/app/today", wait_until="networkidle")
        FOLDER.mkdir(exist_ok=True)
        page.screenshot(path=FOLDER / f"today-{self.language}-{name}-{scheme}.png")
        page.close()


def morning() -> str:
    """Return a time zone where it is between ten and eleven now, so that the same is late."""
    ahead = (10 - datetime.now(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def draw_pages(browser: Browser) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # as root, PostgreSQL runs as another account
        with serving(Path(folder) / "data", LOGIN_FAILURES="off") as server:
            for language in TEXTS:
                drawing = Drawing(browser, server.url, language)
                drawing.register()
                drawing.fill()
                for scheme in ("light", "dark"):
                    drawing.draw("desk", scheme, {"width": 1280, "height": 800}, 1)
                    drawing.draw("phone", scheme, {"width": 360, "height": 720}, 2)


def main() -> None:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        draw_icons(browser)
        draw_pages(browser)
        browser.close()


if __name__ == "__main__":
    main()

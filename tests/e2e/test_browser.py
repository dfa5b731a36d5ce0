"""What a DBA sees: the grid of a run and a report, in a real headless browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from sandbox.airflow_server import USER
from tests.e2e.conftest import Voyage

CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
PATIENCE_MS = 60_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here (chromium, chromium-browser or google-chrome)"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, voyage: Voyage) -> Iterator[Page]:
    """A page that is logged in to the sandbox's Airflow, in Chinese."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, locale="zh-CN", timezone_id="Asia/Shanghai")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{voyage.server.url}/auth/login")
    page.fill("input[name=username]", USER)
    page.fill("input[name=password]", voyage.server.password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "login" not in url)
    yield page
    context.close()


def shown(found: Locator) -> bool:
    """Whether the first of what was found is to be seen, after the page's time to draw it."""
    found.first.wait_for()
    return found.first.is_visible()


def test_the_family_in_the_list(page: Page, voyage: Voyage) -> None:
    page.goto(f"{voyage.server.url}/dags?tags=backup")
    for name in ("主体系统库", "跨境电商库", "市场采购库", "主体系统 Oracle 库（模拟器）"):
        assert shown(page.get_by_text(f"备份检查 · {name}")), name


def test_the_grid_of_a_run(page: Page, voyage: Voyage) -> None:
    page.goto(f"{voyage.server.url}/dags/backup__gz_cbec")
    for task in ("勘查 survey", "读回 read", "恢复演练 drill", "判定 judge", "报告 report", "结论 outcome"):
        assert shown(page.get_by_text(task)), task
    assert shown(page.get_by_text("备份检查 · 跨境电商库"))
    page.screenshot(path=str(voyage.sandbox.state / "grid.png"))
    assert (voyage.sandbox.state / "grid.png").stat().st_size > 20_000


def test_the_docs_of_the_dag_are_shown(page: Page, voyage: Voyage) -> None:
    page.goto(f"{voyage.server.url}/dags/backup__gz_cbec")
    page.get_by_role("button", name="Dag 文档").click()
    assert shown(page.get_by_text("四个互不合并的判定"))


def test_the_oracle_simulator_is_called_one(page: Page, voyage: Voyage) -> None:
    """The same tasks under the same names, and no page that takes it for a real Oracle database."""
    page.goto(f"{voyage.server.url}/dags/backup__gz_main_sim")
    assert shown(page.get_by_text("备份检查 · 主体系统 Oracle 库（模拟器）"))
    for task in ("勘查 survey", "读回 read", "恢复演练 drill", "判定 judge", "报告 report", "结论 outcome"):
        assert shown(page.get_by_text(task)), task
    page.screenshot(path=str(voyage.sandbox.state / "oracle_grid.png"))
    page.get_by_role("button", name="Dag 文档").click()
    assert shown(page.get_by_text("四个互不合并的判定"))


def test_the_task_that_asks_rman_says_what_it_does(page: Page, voyage: Voyage) -> None:
    page.goto(f"{voyage.server.url}/dags/backup__gz_main_sim/tasks/read")
    assert shown(page.get_by_text("读回 read")) and shown(page.get_by_text("RmanRead"))
    page.screenshot(path=str(voyage.sandbox.state / "oracle_task.png"))


def test_a_report_opens_offline(browser: Browser, voyage: Voyage) -> None:
    report = next(Path(voyage.sandbox.state / "reports").rglob("*备份检查记录*.html"))
    context = browser.new_context(offline=True)
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    assert "备份检查记录" in page.title()
    text = page.inner_text("body")
    assert "今日变化" in text and "跨境电商库" in text and "异常" in text
    assert "主体系统 Oracle 库（模拟器）" in text
    pictures = page.eval_on_selector_all("img", "images => images.map(i => [i.naturalWidth, i.alt])")
    assert pictures and all(width > 100 and alt for width, alt in pictures)
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    context.close()

"""Pages in a browser, as their readers see and use them."""

from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

LOWEST_CONTRAST = """
const channels = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const luminance = colour => channels(colour).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
function behind(element) {
  for (; element; element = element.parentElement) {
    const colour = getComputedStyle(element).backgroundColor;
    if (!colour.endsWith(", 0)")) return colour;
  }
}
const words = [...document.querySelectorAll("main *, header *")].filter(e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()));
return Math.min(...words.map(e => {
  const [a, b] = [luminance(getComputedStyle(e).color), luminance(behind(e))].sort((x, y) => x - y);
  return (b + 0.05) / (a + 0.05);
}));
"""


def text(browser) -> str:
    return browser.find_element(By.TAG_NAME, "body").text


def follow(browser, name: str) -> None:
    """Click on a link in the text or menu; tables have links of the same names."""
    link = f"//a[normalize-space()='{name}'][not(ancestor::table)]"
    WebDriverWait(browser, 10).until(lambda b: b.find_elements(By.XPATH, link))[0].click()


def wait_for_text(browser, words: str) -> None:
    script = "return document.body.innerText"
    WebDriverWait(browser, 10).until(lambda b: words in b.execute_script(script))


def wait_for_rows(browser, expected: set[str]) -> None:
    """Until tables show these rows; all are read at once, since the page may be drawn anew meanwhile."""
    script = "return [...document.querySelectorAll('tr')].map(r => r.innerText.replace(/\\s+/g, ' ').trim())"
    WebDriverWait(browser, 10).until(lambda b: expected <= set(b.execute_script(script)))


def broken_pictures(browser) -> list[str]:
    script = "return [...document.images].filter(i => !i.naturalWidth).map(i => i.alt)"
    return browser.execute_script(script)


def show(browser, path: Path, width: int = 1300, **features: str) -> None:
    """Open a page on a screen of that width; `features`: of the media, such as a dark scheme."""
    metrics = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    named = [{"name": n.replace("_", "-"), "value": value} for n, value in features.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": named})
    browser.get(path.as_uri())

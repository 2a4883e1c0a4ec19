"""The page in a browser: driven by mouse and keyboard, and read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from build import graph_of, make_capture, make_graph
from viewing import HOSTILE, blocks, hostile_capture

from autograd_inspect.layout.palette import DARK, LIGHT
from autograd_inspect.layout.text import visible
from autograd_inspect.model.capture import Capture
from autograd_inspect.model.folds import Opening
from autograd_inspect.model.view import Role
from autograd_inspect.passes.folding.build import fold

Opener = Callable[..., Any]

#: Of five blocks: 0 is the repeat, 1 its first block, 2 the module in that.
REPEAT, BLOCK, INNER = 0, 1, 2


def five_blocks() -> Capture:
    return make_capture(blocks(5))


def everything_open(capture: Capture) -> Opening:
    """Open every fold; of repeats one instance is on show."""
    return Opening(frozenset(range(len(fold(capture).titles))))


def lines(page: Any) -> list[str]:
    """Read the names in the outline."""
    return page.locator("#outline .row .name").all_inner_texts()


def boxes(page: Any) -> int:
    return int(page.get_attribute("#graph", "data-drawn"))


def spot(page: Any, thing: dict[str, int]) -> tuple[float, float]:
    """Give the point of the window where a thing's box or frame has its head."""
    x, y = page.evaluate(
        """(thing) => {
          const { view } = viewer, place = viewer.placeOf(thing);
          const { left, top } = document.querySelector('#graph').getBoundingClientRect();
          return [left + (place.x - view.x) * view.scale, top + (place.y - view.y) * view.scale];
        }""",
        thing,
    )
    return x, y + 8


def until(page: Any, condition: str) -> None:
    """Wait for a condition; the page lets not even the driver evaluate texts by itself."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(condition)


def color_at(page: Any, thing: dict[str, int]) -> str:
    """Give the colour of the picture right inside of a thing's outline."""
    return page.evaluate(
        """(thing) => {
          viewer.paint();
          const { view, context } = viewer, place = viewer.placeOf(thing);
          const x = (place.x - view.x) * view.scale, y = (place.y - view.y) * view.scale + 4;
          const [r, g, b] = context.getImageData(x - 20, y, 1, 1).data;
          return '#' + [r, g, b].map((one) => one.toString(16).padStart(2, '0')).join('');
        }""",
        thing,
    )


def test_the_first_view_is_drawn_and_listed(opened: Opener) -> None:
    page = opened(five_blocks(), Opening(frozenset([REPEAT, BLOCK])))
    assert page.title() == "train.py:loss"
    assert lines(page) == [
        "relu",
        "h.0 … h.4 (Block) ×5",
        "h.0 (Block)",
        "inner (Inner)",
        "add",
    ]
    assert boxes(page) == page.evaluate("viewer.picture.scene.size")
    assert color_at(page, {"fold": INNER}) != LIGHT.paper


def test_a_double_click_opens_and_what_was_clicked_stays_in_its_place(opened: Opener) -> None:
    page = opened(five_blocks())
    before, count = spot(page, {"fold": REPEAT}), boxes(page)
    page.mouse.dblclick(before[0], before[1] + 6)
    assert boxes(page) > count
    after = spot(page, {"fold": REPEAT})
    assert after == pytest.approx(before, abs=1)
    page.mouse.dblclick(after[0] + 30, after[1])
    assert boxes(page) == count


def test_the_outline_is_a_tree_for_the_keyboard(opened: Opener) -> None:
    page = opened(five_blocks())
    tree = page.get_by_role("tree")
    tree.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    selected = page.locator("#outline [aria-selected=true]")
    assert selected.get_attribute("aria-expanded") == "false"
    page.keyboard.press("ArrowRight")
    assert selected.get_attribute("aria-expanded") == "true"
    assert selected.get_attribute("aria-level") == "1"
    page.keyboard.press("ArrowRight")
    assert selected.get_attribute("aria-level") == "2"
    assert tree.get_attribute("aria-activedescendant") == selected.get_attribute("id")
    assert "h.0 (Block)" in page.inner_text("#details h2")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert selected.get_attribute("aria-expanded") == "false"
    assert len(lines(page)) == 2


def test_arrow_keys_in_the_picture_follow_edges(opened: Opener) -> None:
    page = opened(make_capture("loss>sin sin>exp exp>cos cos>tanh tanh>a"), Opening(frozenset([0])))
    page.focus("#graph")
    found = []
    page.keyboard.press("ArrowDown")  # the root, where nothing is selected
    for _ in range(4):
        found.append(page.inner_text("#details h2"))
        page.keyboard.press("ArrowUp")
    assert found == ["loss → loss", "sin", "exp", "cos"]
    page.keyboard.press("ArrowDown")
    assert page.inner_text("#details h2") == "cos"


def test_search_shows_the_instance_that_a_match_is_in(opened: Opener) -> None:
    page = opened(five_blocks())
    page.keyboard.press("/")
    page.keyboard.type("h.3.inner")
    assert page.locator("#found .found").first.inner_text().startswith("inner (Inner)")
    page.keyboard.press("Enter")
    assert "h.3 (Block)" in lines(page)
    assert page.evaluate("viewer.opening.shown.get(0)") == 3
    assert "1 of" in page.inner_text("#status")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "graph"


@pytest.mark.parametrize("query", ["#5", "model.py:12", "relu", "hidden"])
def test_search_finds_nodes_by_number_line_operation_and_variable(
    opened: Opener, query: str
) -> None:
    page = opened(five_blocks())
    page.fill("#search", query)
    page.press("#search", "Enter")
    kind = page.evaluate("Object.keys(viewer.selection)[0]")
    assert kind == "row"
    assert page.evaluate("viewer.marks.selected") >= 0


def test_pages_turn_and_what_is_open_stays_open(opened: Opener) -> None:
    page = opened(five_blocks(), Opening(frozenset([REPEAT, BLOCK, INNER])))
    count = boxes(page)
    page.keyboard.press("]")
    page.keyboard.press("]")
    assert "h.2 (Block)" in lines(page)
    assert boxes(page) == count
    page.keyboard.press("[")
    assert "h.1 (Block)" in lines(page)
    assert page.inner_text("#status") == "instance 2 of 5"


def test_the_pager_in_the_picture_can_be_clicked(opened: Opener) -> None:
    page = opened(five_blocks(), Opening(frozenset([REPEAT, BLOCK])))
    x, y = page.evaluate(
        """() => {
          const { view } = viewer, frame = viewer.picture.frames.find((one) => one.repeat >= 0);
          const place = pagerPlace(frame, viewer.boxes);
          const { left, top } = document.querySelector('#graph').getBoundingClientRect();
          const x = place.x + place.width - 4, y = place.y + place.height / 2;
          return [left + (x - view.x) * view.scale, top + (y - view.y) * view.scale];
        }"""
    )
    page.mouse.click(x, y)
    assert "h.1 (Block)" in lines(page)


def test_everything_can_be_opened_and_closed_again(opened: Opener) -> None:
    page = opened(five_blocks())
    count = boxes(page)
    page.keyboard.press("x")
    assert boxes(page) == 36  # seven operations in each of five blocks, and one
    page.keyboard.press("a")
    assert boxes(page) == count


def test_boxes_alike_open_together(opened: Opener) -> None:
    page = opened(five_blocks(), Opening(frozenset([REPEAT]), {REPEAT: -1}))
    assert len(lines(page)) == 7
    page.locator("#outline .row").nth(2).click()
    page.keyboard.press("e")
    opened_blocks = page.locator("#outline [aria-level='2'][aria-expanded=true]").count()
    assert opened_blocks == 5


def test_heat_colours_by_figures_and_says_on_what_scale(opened: Opener) -> None:
    capture = five_blocks()
    capture.graph.node_table.spent[:] = range(len(capture.graph))
    page = opened(capture, everything_open(capture))
    page.select_option("#heat", "time")
    assert "time" in page.inner_text("#legend")
    rows = page.evaluate("Array.from(viewer.picture.scene.row)")
    spent = {row: page.evaluate(f"viewer.graph.rows.spent[{row}]") for row in rows if row >= 0}
    hottest = max(spent, key=spent.__getitem__)
    assert color_at(page, {"row": hottest}) == LIGHT.heat[6]
    assert page.locator("#heat option[value=saved]").is_disabled()


def test_the_path_to_the_root_is_marked(opened: Opener) -> None:
    page = opened(make_capture("loss>add add>mul add>sin mul>exp sin>exp exp>a"))
    page.fill("#search", "exp")
    page.press("#search", "Enter")
    page.press("#search", "Escape")
    page.keyboard.press("p")
    assert page.inner_text("#status") == "shortest path to the root: 4 operations"
    assert page.evaluate("viewer.marks.arrows.size") == 3
    assert page.get_attribute("#path", "aria-pressed") == "true"


def test_a_leaf_lights_up_all_its_users(opened: Opener) -> None:
    capture = make_capture("loss>add add>mul add>sin mul>w sin>w mul>v")
    capture.gradients.table.node[:] = capture.graph.leaf_table.node
    page = opened(capture)
    page.fill("#search", "w")
    page.press("#search", "Enter")
    assert page.inner_text("#details h2") == "w"
    assert page.evaluate("viewer.marks.tied.size") == 2
    assert "norm 1, from -1 to 1" in page.inner_text("#details")


def test_a_link_leads_to_the_same_view(opened: Opener) -> None:
    page = opened(five_blocks())
    page.keyboard.press("/")
    page.keyboard.type("h.3.inner")
    page.keyboard.press("Enter")
    page.wait_for_timeout(350)  # the view is written down when it rests
    fragment = page.evaluate("location.hash")
    assert len(fragment) < 80
    other = opened(five_blocks(), fragment=fragment)
    assert lines(other) == lines(page)
    assert other.inner_text("#details h2") == page.inner_text("#details h2")
    assert other.evaluate("viewer.view") == pytest.approx(page.evaluate("viewer.view"), abs=1)


def test_back_and_forward_go_through_what_was_opened(opened: Opener) -> None:
    page = opened(five_blocks())
    closed = lines(page)
    page.keyboard.press("x")
    everything = lines(page)
    page.go_back()
    until(page, f"viewer.outline.codes.length === {len(closed)}")
    assert lines(page) == closed
    page.go_forward()
    until(page, "viewer.outline.codes.length > 20")
    assert lines(page) == everything


@pytest.mark.parametrize(
    "fragment", ["#sel=r999999&open=zzzz", "#at=1,2,-3&show=0.99_x.y", "#%%%&sel=&heat=<b>", "#a"]
)
def test_a_link_that_fits_no_graph_does_no_harm(opened: Opener, fragment: str) -> None:
    page = opened(five_blocks(), fragment=fragment)
    assert boxes(page) == 2


def test_names_are_text_wherever_they_appear(opened: Opener) -> None:
    page = opened(hostile_capture(), everything_open(hostile_capture()))
    elements = "document.querySelectorAll('script, img, iframe, b, svg').length"
    before = page.evaluate(elements)
    shown = page.inner_text("body")
    for query in ("script", "img", "alert", "31m", "gnol", "]]>"):
        page.fill("#search", query)
        shown += page.inner_text("#found")
        for _ in range(6):
            page.press("#search", "Enter")
            shown += page.inner_text("#details")
    page.mouse.move(*spot(page, {"row": 0}))
    assert page.evaluate(elements) == before
    squeezed = " ".join(shown.split())
    for name in HOSTILE:
        assert " ".join(visible(name).split()) in squeezed


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_what_is_below_it(opened: Opener, *, dark: bool) -> None:
    page = opened(five_blocks(), Opening(frozenset([REPEAT, BLOCK])), dark=dark)
    page.select_option("#heat", "kind")
    page.locator("#outline .row").nth(2).click()
    worst = page.evaluate(
        """() => {
          const channels = (color) => color.match(/[\\d.]+/g).map(Number);
          const light = (color) => channels(color).slice(0, 3).map((c) => c / 255)
            .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
            .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
          const below = (element) => {
            for (let one = element; one; one = one.parentElement) {
              const { backgroundColor } = getComputedStyle(one);
              if ((channels(backgroundColor)[3] ?? 1) > 0) return backgroundColor;
            }
            return 'rgb(255, 255, 255)';
          };
          let worst = [99, ''];
          for (const element of document.querySelectorAll('body *')) {
            const text = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
            if (!text || !element.checkVisibility()) continue;
            const [a, b] = [light(getComputedStyle(element).color), light(below(element))];
            const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (contrast < worst[0]) worst = [contrast, element.outerHTML.slice(0, 200)];
          }
          return worst;
        }"""
    )
    assert worst[0] >= 4.5, worst
    paper = (DARK if dark else LIGHT).paper
    assert page.evaluate("viewer.look.palette.paper") == paper


def test_dark_and_light_can_be_switched(opened: Opener) -> None:
    page = opened(five_blocks())
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert color_at(page, {"fold": REPEAT}) == DARK.boxes[Role.REPEAT][0]


def test_tab_goes_through_the_page_in_reading_order(opened: Opener) -> None:
    page = opened(five_blocks())
    found = []
    for _ in range(11):
        page.keyboard.press("Tab")
        found.append(page.evaluate("document.activeElement.id"))
    assert found == [
        "search", "heat", "path", "everything", "auto", "fit", "theme", "help",
        "outline", "graph", "details",
    ]  # fmt: skip


def test_everything_that_can_be_used_has_a_name(opened: Opener) -> None:
    page = opened(five_blocks(), Opening(frozenset([REPEAT, BLOCK])))
    page.locator("#outline .row").nth(0).click()
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('button, select, input, [tabindex="0"], [role]')]
          .filter((one) => one.checkVisibility() && !one.closest('[aria-hidden=true]'))
          .filter((one) => one.id !== 'status')
          .filter((one) => !(one.ariaLabel || one.innerText || one.labels?.length))
          .map((one) => one.outerHTML)"""
    )
    assert unnamed == []
    assert page.get_by_role("tree").get_attribute("aria-label")
    assert page.get_by_role("combobox", name="Search operations").is_visible()


def test_keys_are_explained(opened: Opener) -> None:
    page = opened(five_blocks())
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    assert dialog.is_visible()
    assert "shortest path" in dialog.inner_text()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_paper_gets_the_picture_and_no_panels(opened: Opener) -> None:
    page = opened(five_blocks(), Opening(frozenset([REPEAT, BLOCK])), dark=True)
    assert page.pdf().startswith(b"%PDF")
    page.emulate_media(media="print")
    page.evaluate("viewer.print()")
    assert not page.locator("#outline").is_visible()
    assert page.locator("#print").is_visible()
    corner, colors = page.evaluate(
        """() => {
          const paper = document.querySelector('#print'), { width, height } = paper;
          const { data } = paper.getContext('2d').getImageData(0, 0, width, height);
          return [Array.from(data.slice(0, 3)), new Set(new Uint32Array(data.buffer)).size];
        }"""
    )
    assert corner == [255, 255, 255]
    assert colors > 20


def test_many_boxes_are_laid_out_aside_and_drawn_as_pixels(opened: Opener) -> None:
    count = 6000
    graph = graph_of([*([[at + 1] for at in range(count)]), []])
    page = opened(make_capture(graph))
    workers: list[None] = []
    page.on("worker", lambda _: workers.append(None))
    page.keyboard.press("x")
    until(page, f"document.querySelector('#graph').dataset.drawn === '{count}'")
    assert len(workers) == 1
    assert page.locator("#busy").is_hidden()
    assert page.locator("#outline .row").count() < 100
    drawn = page.evaluate(
        """() => {
          viewer.paint();
          const { width, height } = viewer.context.canvas;
          const image = viewer.context.getImageData(0, 0, width, height);
          const pixels = new Uint32Array(image.data.buffer);
          const color = pixelOf(viewer.look.palette.boxes.operation[1]);
          return pixels.filter((one) => one === color).length;
        }"""
    )
    assert drawn > 1000
    page.focus("#outline")
    page.keyboard.press("End")
    assert page.evaluate("viewer.selection.row") == count - 1


def test_the_root_may_be_on_top_and_colours_be_asked_for(opened: Opener) -> None:
    capture = make_capture("loss>sin sin>exp exp>a")
    capture.graph.node_table.spent[:] = 1000
    page = opened(capture, everything_open(capture), reverse=True, color="time")
    heights = page.evaluate("Array.from(viewer.picture.y)")
    assert len(heights) == 3
    assert heights == sorted(heights, reverse=True)  # from the first operation to the root
    assert page.input_value("#heat") == "time"
    page.focus("#graph")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    assert page.inner_text("#details h2") == "sin"


def test_a_graph_of_nothing_but_a_leaf_is_shown(opened: Opener) -> None:
    page = opened(make_capture(graph_of([[]], names={0: "x"})))
    assert boxes(page) == 1


def test_wheel_zooms_and_dragging_moves(opened: Opener) -> None:
    page = opened(make_capture(make_graph("loss>mul mul>a mul>b")))
    scale, x = page.evaluate("[viewer.view.scale, viewer.view.x]")
    page.mouse.move(600, 400)
    page.mouse.wheel(0, -300)
    until(page, f"viewer.view.scale > {scale}")
    left = page.evaluate("viewer.view.x")
    page.mouse.down()
    page.mouse.move(700, 400)
    page.mouse.up()
    assert page.evaluate("viewer.view.x") < left
    assert page.evaluate("viewer.selection") is None
    page.keyboard.press("f")
    assert page.evaluate("viewer.view.scale") == pytest.approx(scale)
    assert page.evaluate("viewer.view.x") == pytest.approx(x)

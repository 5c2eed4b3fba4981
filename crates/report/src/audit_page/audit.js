// Chooses which pair is shown. The address says which: "#pair=3" is the third of the table, so that
// links, the history and the script all choose in the same way.
(() => {
"use strict";
const data = JSON.parse(document.getElementById("audit-data").textContent);
const root = document.documentElement;
const rows = [...document.querySelectorAll("#table tbody tr")];
const links = rows.map((row) => row.querySelector("a"));
const stories = [...document.querySelectorAll(".story")];
const announcer = document.getElementById("announcer");
const chosen = document.getElementById("chosen");
let map = "components";
let selected = -1;

root.classList.add("scripted");

function fromAddress() {
  const match = /^#pair=(\d+)$/.exec(location.hash);
  const index = match ? Number(match[1]) - 1 : -1;
  return index < rows.length ? index : -1;
}

const address = (index) => "#pair=" + (index + 1);
// A choice can be taken back; walking through pairs does not fill the history. Neither moves the
// focus, as following a link does.
function choose(index) {
  history.pushState(null, "", address(index));
  show(index);
}
function walk(index) {
  history.replaceState(null, "", address(index));
  show(index);
}

function show(index) {
  selected = index;
  rows.forEach((row, k) => {
    row.classList.toggle("selected", k === index);
    stories[k].classList.toggle("selected", k === index);
    // One stop for the tabulator key, arrows from there.
    links[k].tabIndex = k === index ? 0 : -1;
    if (k === index) links[k].setAttribute("aria-current", "true");
    else links[k].removeAttribute("aria-current");
  });
  // Within the table only: the page stays where it is.
  const box = rows[index].closest(".scroll");
  const head = box.querySelector("thead").offsetHeight;
  const top = rows[index].offsetTop;
  if (top < box.scrollTop + head) box.scrollTop = top - head;
  const bottom = top + rows[index].offsetHeight - box.clientHeight;
  if (bottom > box.scrollTop) box.scrollTop = bottom;
  announcer.textContent = stories[index].querySelector("h3").textContent;
  mark();
}

// Pairs that the filter lets through.
const passing = () => rows.map((_, k) => k).filter((k) => !rows[k].hidden);

function step(by) {
  const list = passing();
  if (list.length === 0) return;
  const at = list.indexOf(selected);
  const next = at < 0 ? 0 : Math.min(Math.max(at + by, 0), list.length - 1);
  const inTable = links.includes(document.activeElement);
  walk(list[next]);
  if (inTable) links[list[next]].focus({ preventScroll: true });
}

// The map.
const ends = (k) => data.maps && data.pairs[k].points && data.pairs[k].points.map((p) => data.maps[map][p]);

function stretch(group, [[ax, ay], [bx, by]]) {
  const [thread, ...rest] = group.children;
  const rings = rest.filter((part) => part.tagName === "circle");
  thread.setAttribute("d", `M${ax} ${ay}L${bx} ${by}`);
  [[ax, ay], [bx, by]].forEach(([x, y], k) => {
    rings[k].setAttribute("cx", x);
    rings[k].setAttribute("cy", y);
  });
}

function mark() {
  const at = selected >= 0 && ends(selected);
  if (!chosen) return;
  chosen.classList.toggle("shown", Boolean(at));
  if (!at) return;
  stretch(chosen, at);
  // Names stand away from each other, also where both points are one.
  const flip = at[0][0] <= at[1][0] ? 1 : -1;
  chosen.querySelectorAll("text").forEach((name, k) => {
    const side = (k === 0 ? -1 : 1) * flip;
    name.setAttribute("x", Math.min(Math.max(at[k][0] + side * 9, 9), 291));
    name.setAttribute("y", Math.min(at[k][1] + 4, 296));
    name.style.textAnchor = side < 0 ? "end" : "start";
  });
}

function redraw() {
  const points = document.getElementById("points").children;
  data.maps[map].forEach(([x, y], k) => {
    points[k].setAttribute("cx", x);
    points[k].setAttribute("cy", y);
  });
  for (const link of document.querySelectorAll("#links > g")) {
    stretch(link, ends(Number(link.dataset.pair) - 1));
  }
  for (const caption of document.querySelectorAll("[data-map]")) caption.hidden = caption.dataset.map !== map;
  mark();
}

function distanceToLink([x, y], [[ax, ay], [bx, by]]) {
  const square = (bx - ax) ** 2 + (by - ay) ** 2;
  const along = square === 0 ? 0 : ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / square;
  const t = Math.min(Math.max(along, 0), 1);
  return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
}

// The nearest pair; where several lie under the pointer, each further click takes the next of them.
function pick(place) {
  const REACH = 8;
  const near = passing()
    .filter(ends)
    .map((k) => [distanceToLink(place, ends(k)), k])
    .filter(([distance]) => distance <= REACH)
    .sort((a, b) => a[0] - b[0] || a[1] - b[1])
    .map(([, k]) => k);
  if (near.length > 0) choose(near[(near.indexOf(selected) + 1) % near.length]);
}

const picture = document.querySelector(".map svg");
if (picture) {
  picture.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    const side = picture.viewBox.baseVal.width;
    pick([((event.clientX - box.left) / box.width) * side, ((event.clientY - box.top) / box.height) * side]);
  });
  for (const input of document.querySelectorAll("input[name=map]")) {
    input.checked = input.value === map;
    input.addEventListener("change", () => {
      map = input.value;
      redraw();
    });
  }
}

if (rows.length > 0) {
  for (const input of document.querySelectorAll("input[name=cause]")) {
    input.checked = input.value === "all";
    input.addEventListener("change", () => {
      rows.forEach((row, k) => (row.hidden = input.value !== "all" && data.pairs[k].cause !== input.value));
      for (const link of document.querySelectorAll("#links > g")) {
        link.classList.toggle("hidden-link", rows[Number(link.dataset.pair) - 1].hidden);
      }
      if (rows[selected].hidden) walk(passing()[0]);
    });
  }
  rows.forEach((row, k) => row.addEventListener("click", (event) => event.target.closest("a") || choose(k)));
  const keys = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity };
  document.addEventListener("keydown", (event) => {
    const by = keys[event.key];
    if (by === undefined || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
    const inTable = links.includes(event.target);
    // Choices and scrolling regions use these keys themselves.
    if (event.target.matches("input, .scroll")) return;
    if (!sideways && !inTable) return;
    event.preventDefault();
    step(by);
  });
  addEventListener("hashchange", () => {
    const index = Math.max(fromAddress(), 0);
    if (rows[index].hidden) {
      document.querySelector("input[name=cause][value=all]").click();
    }
    show(index);
  });
  show(Math.max(fromAddress(), 0));
}
})();

// Looks into pages that stand in frames and writes down what a reader could not read. The report forbids scripts, so this
// one stands around it. A list that is empty is a page without that fault:
//   clash   two pieces of text on top of each other      cut     text outside its picture or hidden by its box
//   over    text outside its cell or the window          broken  a number that goes on in the next line
//   scrolls a table that needs scrolling sideways        pale    text with a contrast below 4.5 to what is behind it
"use strict";

function look(frame, width) {
  const page = frame.contentDocument, css = (one) => frame.contentWindow.getComputedStyle(one);
  page.querySelectorAll("details").forEach((one) => { one.open = true; });
  const found = {width: page.documentElement.scrollWidth, texts: 0, clash: [], cut: [], over: [], broken: [], scrolls: [], pale: []};
  const lines = [], judged = new Set();
  const walk = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const text = node.textContent.trim(), parent = node.parentElement;
    if (!text || parent.closest("style,script")) continue;
    const range = page.createRange();
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()].filter((box) => box.width > 0 && box.height > 0);
    if (!boxes.length || hidden(parent, css)) continue;
    found.texts += 1;
    const tops = new Set(boxes.map((box) => Math.round(box.top)));
    if (tops.size > 1 && parent.closest("td,dd") && /^\S*\d\S*$/.test(text)) found.broken.push(text);
    const drawing = parent.closest("svg"), holder = parent.closest("td,th,dd,dt,li,p,h1,h2,h3,summary,figcaption");
    for (const box of boxes) {
      if (drawing && !within(box, drawing.getBoundingClientRect(), 3)) found.cut.push(text);
      if (!drawing && holder && box.right > holder.getBoundingClientRect().right + lean(text, parent, css)) found.over.push(text);
      const seen = visible(box, parent, css, found, text);
      if (!seen) continue;
      if (seen.right > width + 1 || seen.left < -1) found.over.push(text);
      lines.push({node, text, left: seen.left, right: seen.right, top: seen.top + box.height / 5, bottom: seen.bottom - box.height / 5});
    }
    const colours = drawing ? drawn(parent, drawing, css) : written(parent, css), key = colours.join();
    if (judged.has(key)) continue;
    judged.add(key);
    if (contrast(...colours) < 4.5) found.pale.push(text + ": " + contrast(...colours).toFixed(2));
  }
  lines.sort((one, other) => one.top - other.top);
  lines.forEach((one, place) => {
    for (let next = place + 1; next < lines.length && lines[next].top < one.bottom - 1; next += 1) {
      const other = lines[next];
      if (other.node !== one.node && Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1) found.clash.push(one.text + " / " + other.text);
    }
  });
  page.querySelectorAll(".scroll:not(details .scroll)").forEach((one) => {
    if (one.scrollWidth > one.clientWidth + 1) found.scrolls.push(one.textContent.trim().slice(0, 60));
  });
  return found;
}

function within(box, frame, slack) {
  return box.left > frame.left - slack && box.right < frame.right + slack && box.top > frame.top - slack && box.bottom < frame.bottom + slack;
}

/* A Chinese closing sign at the end of a line leans the empty half of its square over the edge. */
function lean(text, parent, css) {
  return /[，。；：、）」”]/.test(text) ? 1 + parseFloat(css(parent).fontSize) / 2 : 1;
}

function up(one) {
  const all = [];
  for (; one; one = one.parentElement) all.push(one);
  return all;
}

/* Kept for readers who listen, not for those who look. */
function hidden(one, css) {
  return up(one).some((outer) => css(outer).clipPath !== "none" || css(outer).visibility === "hidden");
}

/* The part of a line that its boxes show: what scrolls away is no fault, what is cut for good is one. */
function visible(box, parent, css, found, text) {
  let {left, right, top, bottom} = box;
  for (const outer of up(parent)) {
    const how = css(outer).overflowX, frame = outer.getBoundingClientRect();
    if (how === "visible" || outer === parent.ownerDocument.documentElement || outer.tagName === "BODY" || outer.closest("svg")) continue;
    if (how === "hidden" || how === "clip") {
      if (!within(box, frame, 1)) found.cut.push(text);
    }
    left = Math.max(left, frame.left); right = Math.min(right, frame.right);
    top = Math.max(top, frame.top); bottom = Math.min(bottom, frame.bottom);
  }
  return right > left && bottom > top ? {left, right, top, bottom} : null;
}

function rgba(colour) {
  const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
  return [red, green, blue, alpha];
}

function laid(front, back) {
  return [0, 1, 2].map((place) => front[place] * front[3] + back[place] * (1 - front[3])).concat(1);
}

function behind(one, css) {
  return up(one).map((outer) => rgba(css(outer).backgroundColor)).reverse().reduce((back, front) => laid(front, back), [255, 255, 255, 1]);
}

function written(one, css) {
  const back = behind(one, css);
  return [laid(rgba(css(one).color), back), back];
}

/* Text of a picture stands on the last shape painted before it under its middle, or on the page. */
function drawn(one, drawing, css) {
  const box = one.getBoundingClientRect(), middle = new DOMPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
  let back = behind(drawing, css);
  for (const shape of drawing.querySelectorAll("path,rect,circle")) {
    if (!(shape.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING) || css(shape).fill === "none") continue;
    const there = middle.matrixTransform(shape.getScreenCTM().inverse());
    if (!shape.isPointInFill(there)) continue;
    const fill = rgba(css(shape).fill);
    back = laid([fill[0], fill[1], fill[2], fill[3] * css(shape).opacity * css(shape).fillOpacity], back);
  }
  return [laid(rgba(css(one).fill), back), back];
}

function contrast(front, back) {
  const light = (colour) => colour.slice(0, 3).map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const [dark, bright] = [light(front), light(back)].sort((one, other) => one - other);
  return (bright + 0.05) / (dark + 0.05);
}

addEventListener("load", () => {
  const found = [...document.querySelectorAll("iframe")].map((frame) => look(frame, Number(frame.dataset.width)));
  document.getElementById("found").textContent = JSON.stringify(found);
});

// SPDX-License-Identifier: MIT
// What a browser adds to the drawing. A constant: its SHA-256 stands in the page's policy. The Makefile puts these files into one
// function, in this order; a later one uses what the earlier ones have:
//
//     page.js         elements, what the file says, what leads to what
//     page_state.js   the address line, folds
//     page_bar.js     search, time, the story beside the graph
//     page_disk.js    what recorded disks add
//     page_details.js selection, details
//     page_input.js   legend, zoom, theme, pointer, keys, print; begins
//
// Text from the case is moved as text only (textContent, setAttribute on attributes of ours); there is no markup made of strings, no
// evaluation, no request. What the address line says is taken only where it is a known key with a value of the expected form.
//
//   #sel=n7 or e12   what is selected       &dir=led|followed   one direction only
//   &t=SECONDS       the moment shown       &q=TEXT             the search
//   &open=f1,f3      folds that are open    &hide=file,read     switched off in the legend
//   &view=X,Y,W,H    part of the graph      &theme=dark|light
//   &disk=1          what the disks hold, while nothing is selected
var SVG = 'http://www.w3.org/2000/svg', HTML = 'http://www.w3.org/1999/xhtml';
var DRAWN_MOST = 120; // nodes, with those of open folds
var sheet = document.getElementById('sheet');
var view = document.getElementById('view'), plot = document.getElementById('plot');

// ---- elements

function make(name, attributes, words) {
	var e = document.createElementNS(HTML, name);
	for (var key in attributes || {})
		e.setAttribute(key, attributes[key]);
	if (words !== undefined)
		e.textContent = words;
	return e;
}
function draw(name, attributes, words) {
	var e = document.createElementNS(SVG, name);
	for (var key in attributes || {})
		e.setAttribute(key, attributes[key]);
	if (words !== undefined)
		e.textContent = words;
	return e;
}
function put(parent) {
	for (var i = 1; i < arguments.length; i++)
		if (arguments[i])
			parent.appendChild(arguments[i]);
	return parent;
}
function button(words, title, act) {
	var b = make('button', {type: 'button', title: title, 'aria-label': title}, words);
	b.addEventListener('click', act);
	return b;
}
function clear(e) {
	while (e.firstChild)
		e.removeChild(e.firstChild);
	return e;
}
function all(selector, root) {
	return Array.prototype.slice.call((root || sheet).querySelectorAll(selector));
}
function number(e, key, otherwise) {
	var value = e.getAttribute('data-' + key);
	return value === null ? otherwise : Number(value);
}
function has(e, key) {
	return e.getAttribute('data-' + key) !== null;
}

// A drawing that is opened by itself becomes the body of a page, so that bars and panels can stand around it.
var title = (document.getElementById('title') || sheet).textContent;
if (document.documentElement === sheet) {
	var html = put(make('html', {lang: 'en'}), put(make('head'), make('title', {}, title)), make('body'));
	document.replaceChild(html, sheet);
	html.lastChild.appendChild(sheet);
}
var root = document.documentElement, body = sheet.parentNode;
root.classList.add('live');

// ---- what the file says

var nodes = {}, edges = {}, facts = {}, records = {}, members = {};
all('#facts desc').forEach(function (d) {
	var record = d.getAttribute('data-record'), of = d.getAttribute('data-of'), key = d.getAttribute('data-key');
	if (record !== null)
		records[record] = d;
	else if (key === 'member')
		(members[of] = members[of] || []).push(d);
	else
		(facts[of] = facts[of] || []).push(d);
});
function fact(id, key) {
	var found = (facts[id] || []).filter(function (d) { return d.getAttribute('data-key') === key; });
	return found.length ? found[0].textContent : '';
}
function listed(id, key) {
	return fact(id, key).split(' ').filter(Boolean);
}
var ABOUT_IT = /^(score|reason|restore|restore-after|recover|content|preview|mark)$/; // our words, in which nobody searches
all('.node').forEach(function (e) {
	var box = e.getAttribute('data-box').split(/[ ,]/).map(Number), id = e.id;
	var words = (facts[id] || []).map(function (d) { return ABOUT_IT.test(d.getAttribute('data-key')) ? '' : d.textContent; });
	nodes[id] = {id: id, el: e, kind: e.getAttribute('data-kind'), t: number(e, 't', -Infinity), x: box[0], y: box[1], w: box[2], h: box[3],
		fold: e.getAttribute('data-fold'), into: [], out: [], words: words.join('\n').toLowerCase(), lane: null};
});
all('#graph .edge').forEach(function (e) {
	var edge = {id: e.id, el: e, from: e.getAttribute('data-from'), to: e.getAttribute('data-to'), t: number(e, 't', -Infinity),
		until: has(e, 'open') ? Infinity : Math.max(number(e, 'until', 0), number(e, 'last', 0), number(e, 't', 0)),
		walk: e.getAttribute('data-walk'),
		strong: has(e, 'strong'), both: has(e, 'both'), style: e.getAttribute('data-style'), label: null, also: []};
	edges[e.id] = edge;
	nodes[edge.from].out.push(edge);
	nodes[edge.to].into.push(edge);
	var line = e.querySelector('.line');
	if (line) { // a wide invisible twin: thin lines are hard to hit
		var hit = line.cloneNode(false);
		hit.setAttribute('class', 'line hit');
		e.appendChild(hit);
	}
});
all('[data-edge]').forEach(function (e) {
	var edge = edges[e.getAttribute('data-edge')];
	if (!edge)
		return;
	edge.also.push(e);
	if (e.classList.contains('label'))
		edge.label = e;
});
all('.lane').forEach(function (e) { nodes[e.getAttribute('data-node')].lane = e; });
var nodeList = Object.keys(nodes).map(function (id) { return nodes[id]; });
var edgeList = Object.keys(edges).map(function (id) { return edges[id]; });
var steps = all('.step'), byStep = {};
steps.forEach(function (e) {
	if (has(e, 'step'))
		byStep[e.getAttribute('data-step')] = e;
});
var axis = plot ? plot.getAttribute('data-axis').split(' ').filter(Boolean).map(function (pair) {
	var parts = pair.split(':');
	return {t: Number(parts[0]), x: Number(parts[1])};
}) : [];

// ---- words

var zone = /^([+-])(\d\d):(\d\d)$/.exec(sheet.getAttribute('data-zone') || '+00:00') || ['', '+', '00', '00'];
var offset = (zone[1] === '-' ? -1 : 1) * (Number(zone[2]) * 3600 + Number(zone[3]) * 60);
function clock(t, fine) {
	if (!isFinite(t))
		return '';
	var iso = new Date(Math.round((t + offset) * 1000)).toISOString();
	return iso.slice(11, fine ? 23 : 19);
}
function span(s) {
	if (!isFinite(s) || s < 0.0005)
		return '';
	if (s < 1)
		return '+' + Math.round(s * 1000) + ' ms';
	if (s < 60)
		return '+' + (s < 10 ? s.toFixed(1) : Math.round(s)) + ' s';
	if (s < 3600)
		return '+' + Math.floor(s / 60) + ' min ' + Math.floor(s % 60) + ' s';
	return '+' + Math.floor(s / 3600) + ' h ' + Math.floor(s % 3600 / 60) + ' min';
}
function nameOf(id) {
	var pid = /^pid (\d+)/.exec(fact(id, 'ids'));
	return fact(id, 'name') + (pid ? ' [' + pid[1] + ']' : '');
}

// ---- what led here, what followed: possible in time, in two strengths

// Backward: the latest moment at which something at a node could still reach the start. Forward: the earliest at which it arrived.
function reach(start, backward, strongOnly) {
	var when = {}, links = {}, via = {}, queue = [start];
	when[start] = backward ? Infinity : -Infinity;
	while (queue.length) {
		var here = queue.shift();
		nodes[here].into.concat(nodes[here].out).forEach(function (e) {
			var along = backward ? e.to === here : e.from === here;
			var other = e.from === here ? e.to : e.from;
			if (e.walk === 'none' || (backward && e.walk === 'effect') || (!along && !e.both) || (strongOnly && !e.strong) || other === here)
				return;
			if (backward ? e.t > when[here] : e.until < when[here])
				return;
			var t = backward ? Math.min(e.until, when[here]) : Math.max(e.t, when[here]);
			links[e.id] = true;
			if (other in when && (backward ? when[other] >= t : when[other] <= t))
				return;
			if (!(other in when))
				via[other] = {edge: e.id, next: here};
			when[other] = t;
			queue.push(other);
		});
	}
	return {when: when, links: links, via: via};
}
function rootCause() {
	return nodeList.filter(function (n) { return (facts[n.id] || []).some(function (d) { return d.textContent === 'root cause'; }); })[0];
}
// The chain with the fewest births, executions and writes from the root cause (else from the earliest that can be reached).
function chainBack(start, into) {
	var found = reach(start, true, true), cause = rootCause(), at = null;
	if (cause && cause.id in found.when)
		at = cause.id;
	else
		Object.keys(found.when).forEach(function (id) {
			if (at === null || nodes[id].t < nodes[at].t)
				at = id;
		});
	while (at && at !== start) {
		into.nodes[at] = true;
		into.edges[found.via[at].edge] = true;
		at = found.via[at].next;
	}
}
function lightOf(id) {
	var strong = {nodes: {}, edges: {}}, weak = {nodes: {}, edges: {}}, starts = [id];
	function take(found, into) {
		Object.keys(found.when).forEach(function (n) { into.nodes[n] = true; });
		Object.keys(found.links).forEach(function (e) { into.edges[e] = true; });
	}
	if (edges[id]) {
		strong.edges[id] = strong.nodes[edges[id].from] = strong.nodes[edges[id].to] = true;
		starts = [edges[id].from, edges[id].to];
	} else {
		strong.nodes[id] = true;
	}
	if (state.dir !== 'followed') {
		take(reach(starts[0], true, false), weak);
		chainBack(starts[0], strong);
	}
	if (state.dir !== 'led') {
		take(reach(starts[starts.length - 1], false, false), weak);
		if (nodes[id])
			take(reach(id, false, true), strong);
	}
	return {strong: strong, weak: weak};
}

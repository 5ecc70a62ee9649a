// SPDX-License-Identifier: MIT
// What a browser adds to the drawing. A constant: its SHA-256 stands in the page's policy.
//
// Text from the case is moved as text only (textContent, setAttribute on attributes of ours); there is no markup made of strings, no
// evaluation, no request. What the address line says is taken only where it is a known key with a value of the expected form.
//
//   #sel=n7 or e12   what is selected       &dir=led|followed   one direction only
//   &t=SECONDS       the moment shown       &q=TEXT             the search
//   &open=f1,f3      folds that are open    &hide=file,read     switched off in the legend
//   &view=X,Y,W,H    part of the graph      &theme=dark|light
(function () {
'use strict';

var SVG = 'http://www.w3.org/2000/svg', HTML = 'http://www.w3.org/1999/xhtml';
var DRAWN_MOST = 120; // nodes, with those of open folds
var sheet = document.getElementById('sheet');
if (!sheet || sheet.namespaceURI !== SVG)
	return;
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
all('.node').forEach(function (e) {
	var box = e.getAttribute('data-box').split(/[ ,]/).map(Number), id = e.id;
	var words = (facts[id] || []).map(function (d) { return /^(score|reason|restore|recover|mark)$/.test(d.getAttribute('data-key')) ? '' : d.textContent; });
	nodes[id] = {id: id, el: e, kind: e.getAttribute('data-kind'), t: number(e, 't', -Infinity), x: box[0], y: box[1], w: box[2], h: box[3],
		fold: e.getAttribute('data-fold'), into: [], out: [], words: words.join('\n').toLowerCase(), lane: null};
});
all('#graph .edge').forEach(function (e) {
	var edge = {id: e.id, el: e, from: e.getAttribute('data-from'), to: e.getAttribute('data-to'), t: number(e, 't', -Infinity),
		until: has(e, 'open') ? Infinity : Math.max(number(e, 'until', 0), number(e, 'last', 0), number(e, 't', 0)), walk: e.getAttribute('data-walk'),
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
	return s < 3600 ? '+' + Math.floor(s / 60) + ' min ' + Math.round(s % 60) + ' s' : '+' + Math.floor(s / 3600) + ' h ' + Math.round(s % 3600 / 60) + ' min';
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

// ---- state, and the address line that keeps it

var state = {sel: '', dir: '', t: Infinity, q: '', open: [], hide: [], view: null, theme: ''};
var fitBox = view ? view.getAttribute('viewBox').split(' ').map(Number) : [0, 0, 1, 1];
var FILTERS = ['process', 'file', 'address', 'channel', 'kernel', 'fold', 'solid', 'read', 'connect', 'cut', 'unsure', 'same'];

function readState() {
	var next = {sel: '', dir: '', t: Infinity, q: '', open: [], hide: [], view: null, theme: ''};
	location.hash.replace(/^#/, '').split('&').forEach(function (pair) {
		var at = pair.indexOf('='), key = pair.slice(0, at), value;
		try {
			value = decodeURIComponent(pair.slice(at + 1));
		} catch (wrong) {
			return;
		}
		if (key === 'sel' && /^[ne]\d{1,6}$/.test(value) && (nodes[value] || edges[value]))
			next.sel = value;
		else if (key === 'dir' && (value === 'led' || value === 'followed'))
			next.dir = value;
		else if (key === 't' && /^\d{1,12}(\.\d{1,6})?$/.test(value))
			next.t = Number(value);
		else if (key === 'q')
			next.q = value.slice(0, 200);
		else if (key === 'open' && /^f\d{1,6}(,f\d{1,6})*$/.test(value))
			next.open = value.split(',').filter(function (f) { return foldNode(f); });
		else if (key === 'hide')
			next.hide = value.split(',').filter(function (f) { return FILTERS.indexOf(f) >= 0; });
		else if (key === 'view' && /^-?[\d.]+(,-?[\d.]+){3}$/.test(value))
			next.view = value.split(',').map(Number);
		else if (key === 'theme' && (value === 'dark' || value === 'light'))
			next.theme = value;
	});
	if (next.view && !(next.view.every(isFinite) && next.view[2] >= 40 && next.view[2] <= 40000 && next.view[3] >= 20 && next.view[3] <= 40000))
		next.view = null;
	return next;
}
function writeState() {
	var parts = [];
	function add(key, value) {
		if (value)
			parts.push(key + '=' + value);
	}
	add('sel', state.sel);
	add('dir', state.sel && state.dir);
	add('t', isFinite(state.t) ? String(Math.round(state.t * 1e6) / 1e6) : '');
	add('q', encodeURIComponent(state.q));
	add('open', state.open.join(','));
	add('hide', state.hide.join(','));
	add('view', state.view ? state.view.map(function (v) { return Math.round(v); }).join(',') : '');
	add('theme', state.theme);
	var hash = '#' + parts.join('&');
	if (hash === location.hash || (hash === '#' && location.hash === ''))
		return;
	try {
		history.replaceState(null, '', hash);
	} catch (refused) {
		location.hash = hash;
	}
}
function foldNode(fold) {
	return nodeList.filter(function (n) { return n.fold === fold; })[0];
}

// ---- folds: opening one makes room below it, and everything further down moves

var bands = []; // {y, height} in the graph's own coordinates
var below = all('.pane').slice(1), panel = sheet.querySelector('.panel');
var own = {
	sheet: sheet.getAttribute('viewBox').split(' ').map(Number), view: view ? Number(view.getAttribute('height')) : 0,
	panel: panel ? Number(panel.getAttribute('height')) : 0, bg: sheet.querySelector('.bg'),
};
function moved(y) {
	return bands.reduce(function (sum, b) { return sum + (y > b.y ? b.height : 0); }, 0);
}
function extra() {
	return bands.reduce(function (sum, b) { return sum + b.height; }, 0);
}
function shiftPath(path, shiftAt) {
	var d = path.own = path.own || path.getAttribute('d'), i = 0;
	path.setAttribute('d', d.replace(/(-?[\d.]+),(-?[\d.]+)/g, function (pair, x, y) {
		return x + ',' + (Number(y) + shiftAt(i++, Number(y)));
	}));
}
function shiftEdge(e) {
	var from = nodes[e.from].shift, to = nodes[e.to].shift;
	all('.line', e.el).forEach(function (line) {
		var count = ((line.own || line.getAttribute('d')).match(/,/g) || []).length;
		shiftPath(line, function (i, y) { return i < 2 ? from : i >= count - 2 ? to : moved(y); });
	});
	all('.head,.mark', e.el).forEach(function (head, i) {
		shiftPath(head, function () { return i === 0 ? to : from; });
	});
	if (e.label) {
		var text = e.label.querySelector('text,rect');
		e.label.setAttribute('transform', 'translate(0,' + (text ? moved(Number(text.getAttribute('y'))) : 0) + ')');
	}
}
function resize() {
	var more = extra(), printed = sheet.getAttribute('data-printed');
	nodeList.forEach(function (n) {
		n.shift = moved(n.y + n.h / 2);
		n.el.setAttribute('transform', 'translate(0,' + n.shift + ')');
	});
	edgeList.forEach(shiftEdge);
	view.setAttribute('height', own.view + more);
	panel.setAttribute('height', own.panel + more);
	if (!state.view)
		view.setAttribute('viewBox', [fitBox[0], fitBox[1], fitBox[2], fitBox[3] + more].join(' '));
	if (printed)
		return;
	below.forEach(function (p) { p.setAttribute('transform', 'translate(0,' + more + ')'); });
	setHeight(own.sheet[3] + more);
}
function setHeight(height) {
	sheet.setAttribute('viewBox', [0, 0, own.sheet[2], height].join(' '));
	sheet.setAttribute('height', height);
	own.bg.setAttribute('height', height);
}
var CELL = 192, ROW = 26;
function memberNode(d, id, x, y) {
	var kind = d.getAttribute('data-kind'), g = draw('g', {'class': 'node member ' + kind, id: id, tabindex: '0', role: 'img', 'aria-label': kind + ' ' + d.textContent});
	var words = d.textContent;
	put(g, draw('title', {}, d.textContent), draw('rect', {'class': 'shape', x: x, y: y, width: CELL - 10, height: ROW - 6, rx: kind === 'process' ? 6 : 0}),
		draw('text', {'class': 'detail ink', x: x + 7, y: y + 13.5}, words.length > 27 ? words.slice(0, 8) + '\u2026' + words.slice(-18) : words));
	g.addEventListener('click', function (event) {
		event.stopPropagation();
		showMember(d);
	});
	return g;
}
function openFolds() {
	var room = DRAWN_MOST - nodeList.length;
	all('.ui-frame-group').forEach(function (g) { g.parentNode.removeChild(g); });
	bands = [];
	state.open.map(foldNode).sort(function (a, b) { return a.y - b.y; }).forEach(function (n) {
		var list = members[n.fold] || [], total = Number(fact(n.fold, 'count')), shown = Math.max(0, Math.min(list.length, room));
		var columns = shown <= 4 ? 1 : shown <= 12 ? 2 : shown <= 30 ? 3 : 5, rows = Math.ceil(shown / columns), width = columns * CELL + 10;
		var x = Math.max(fitBox[0] + 8, Math.min(n.x, fitBox[0] + fitBox[2] - width - 8)), y = n.y + n.h;
		for (var again = true; again;) { // below every box that the frame would touch
			again = false;
			nodeList.forEach(function (o) {
				if (o !== n && o.y < y + 4 && o.y + o.h > y && o.x < x + width && o.x + o.w > x) {
					y = o.y + o.h + 1;
					again = true;
				}
			});
		}
		room -= shown;
		bands.push({y: y, height: rows * ROW + 44, fold: n, x: x, width: width, list: list.slice(0, shown), columns: columns, total: total});
	});
	resize();
	bands.forEach(function (b) {
		var top = b.y + moved(b.y) + 8, g = draw('g', {'class': 'ui-frame-group', 'data-frame': b.fold.fold});
		put(g, draw('rect', {'class': 'ui-frame', x: b.x, y: top, width: b.width, height: b.height - 16, rx: 4}));
		b.list.forEach(function (d, i) {
			put(g, memberNode(d, b.fold.id + 'm' + i, b.x + 10 + i % b.columns * CELL, top + 8 + Math.floor(i / b.columns) * ROW));
		});
		var rest = b.total - b.list.length;
		put(g, draw('text', {'class': 'detail', x: b.x + 10, y: top + b.height - 22}, rest > 0 ? 'and ' + rest + ' more: the details list them' : b.total + ' in all'));
		document.getElementById('graph').appendChild(g);
	});
	nodeList.forEach(function (n) {
		if (!n.fold)
			return;
		var open = state.open.indexOf(n.fold) >= 0;
		n.toggle.setAttribute('aria-expanded', String(open));
		n.toggle.setAttribute('aria-label', (open ? 'collapse ' : 'expand ') + fact(n.id, 'name'));
		n.plus.setAttribute('d', open ? 'M-4,0 L4,0' : 'M-4,0 L4,0 M0,-4 L0,4');
	});
}
function toggleFold(fold) {
	var at = state.open.indexOf(fold);
	if (at >= 0)
		state.open.splice(at, 1);
	else
		state.open.push(fold);
	openFolds();
	apply();
}
nodeList.forEach(function (n) {
	if (!n.fold)
		return;
	n.plus = draw('path', {d: ''});
	n.toggle = put(draw('g', {'class': 'ui-toggle', role: 'button', tabindex: '0', transform: 'translate(' + (n.x + n.w - 9) + ',' + (n.y + n.h - 9) + ')'}),
		draw('circle', {r: 7.5}), n.plus);
	n.toggle.addEventListener('click', function (event) {
		event.stopPropagation();
		toggleFold(n.fold);
	});
	n.toggle.addEventListener('keydown', function (event) {
		if (event.key === 'Enter' || event.key === ' ') {
			event.preventDefault();
			event.stopPropagation();
			toggleFold(n.fold);
		}
	});
	n.el.appendChild(n.toggle);
});

// ---- the bar

var say = make('div', {'class': 'ui-say', 'aria-live': 'polite'});
var search = make('input', {type: 'search', id: 'search', placeholder: 'Search name, path, pid ( / )', 'aria-label': 'search names, paths, pids', autocomplete: 'off', spellcheck: 'false'});
var count = make('output', {'for': 'search', id: 'count', 'aria-live': 'polite'});
var moment = make('output', {id: 'moment'});
var bar = put(make('div', {'class': 'ui-bar', role: 'toolbar', 'aria-label': 'case page'}),
	put(make('div', {'class': 'group', role: 'search'}), search, count),
	put(make('div', {'class': 'group'}), button('\u25c2', 'event before ( [ )', function () { stepTime(-1); }), moment,
		button('\u25b8', 'next event ( ] )', function () { stepTime(1); }), button('All', 'all of the time', function () { setTime(Infinity); })),
	put(make('div', {'class': 'group'}), button('\u2212', 'smaller ( - )', function () { zoom(1.25); }), button('+', 'larger ( + )', function () { zoom(0.8); }),
		button('Fit', 'whole graph ( 0 )', fit)),
	put(make('div', {'class': 'group end'}), button('Story', 'story beside the graph ( S )', function () { toggleStory(); }), button('Clear', 'nothing selected, nothing hidden ( Esc )', clearAll), button('Theme', 'light or dark ( T )', toggleTheme),
		button('?', 'keys ( ? )', toggleHelp)), say);
body.insertBefore(bar, sheet);
var help = make('div', {'class': 'ui-help', role: 'dialog', 'aria-label': 'keys', hidden: ''});
put(help, make('h2', {}, 'Keys'), make('dl'), button('Close', 'close', toggleHelp));
[['/', 'search; Enter goes from match to match'], ['[ ]', 'event by event'], ['Tab, Enter', 'from node to node; select'], ['+ \u2212 0', 'zoom the graph; fit. Ctrl or Alt and the wheel, too; drag to move'],
	['E', 'expand or collapse the selected fold'], ['L F', 'only what led here; only what followed'], ['S', 'the story beside the graph'], ['T', 'light or dark'], ['Esc', 'clear the selection']].forEach(function (row) {
	put(help.querySelector('dl'), make('dt', {}, row[0]), make('dd', {}, row[1]));
});
var drawer = make('aside', {'class': 'ui-drawer', 'aria-label': 'details', hidden: ''}), space = make('div', {'class': 'ui-space', hidden: ''});
var aside = make('nav', {'class': 'ui-story', 'aria-label': 'story', hidden: ''});
put(body, space, drawer, aside, help);
function toggleHelp() {
	help.hidden = !help.hidden;
	if (!help.hidden)
		help.querySelector('button').focus();
}

// ---- search

var matches = [], matchAt = -1;
function runSearch() {
	var wanted = state.q.trim().toLowerCase(), drawn = 0, folded = 0;
	matches = [];
	nodeList.forEach(function (n) {
		var inside = 0, here = wanted !== '' && n.words.indexOf(wanted) >= 0;
		if (wanted !== '' && n.fold)
			(members[n.fold] || []).forEach(function (d) {
				if ((d.textContent + ' ' + (d.getAttribute('data-pid') || '')).toLowerCase().indexOf(wanted) >= 0)
					inside++;
			});
		if (here || inside)
			matches.push(n);
		drawn += here ? 1 : 0;
		folded += inside;
		n.el.classList.toggle('match', Boolean(here || inside));
		if (n.lane)
			n.lane.classList.toggle('match', here);
	});
	count.textContent = wanted === '' ? '' : drawn + folded === 0 ? 'no match' : (drawn + folded === 1 ? '1 match' : drawn + folded + ' matches') + (folded ? ', ' + folded + ' folded' : '');
}
search.addEventListener('input', function () {
	state.q = search.value;
	matchAt = -1;
	runSearch();
	writeState();
});
search.addEventListener('keydown', function (event) {
	if (event.key === 'Enter' && matches.length) {
		matchAt = (matchAt + (event.shiftKey ? matches.length - 1 : 1)) % matches.length;
		select(matches[matchAt].id, true);
	} else if (event.key === 'Escape') {
		search.value = state.q = '';
		runSearch();
		writeState();
		search.blur();
	}
});

// ---- time

var times = axis.map(function (a) { return a.t; });
var scrub = null;
function xOf(t) {
	for (var i = 0; i < axis.length; i++)
		if (t <= axis[i].t)
			return i === 0 || t === axis[i].t ? axis[i].x : axis[i - 1].x + (axis[i].x - axis[i - 1].x) * (t - axis[i - 1].t) / (axis[i].t - axis[i - 1].t);
	return axis.length ? axis[axis.length - 1].x + 10 : 0;
}
function tOf(x) {
	if (!axis.length || x > axis[axis.length - 1].x + 4)
		return Infinity;
	for (var i = 0; i < axis.length; i++)
		if (x <= axis[i].x)
			return i === 0 ? axis[0].t : axis[i - 1].t + (axis[i].t - axis[i - 1].t) * (x - axis[i - 1].x) / (axis[i].x - axis[i - 1].x);
	return axis[axis.length - 1].t;
}
function setTime(t) {
	state.t = t;
	showTime();
	writeState();
}
function stepTime(by) {
	var events = edgeList.map(function (e) { return e.t; }).concat(steps.map(function (e) { return number(e, 't', Infinity); })).filter(isFinite).sort(function (a, b) { return a - b; });
	var next = by > 0 ? events.filter(function (t) { return isFinite(state.t) && t > state.t + 1e-7; })[0] : events.filter(function (t) { return t < state.t - 1e-7; }).pop();
	if (next === undefined)
		next = by > 0 ? (isFinite(state.t) ? Infinity : events[0]) : events[0];
	setTime(next === undefined ? Infinity : next);
	say.textContent = isFinite(state.t) ? 'shown up to ' + clock(state.t, true) : 'all of the time';
}
function showTime() {
	var t = state.t + 1e-7;
	function late(e, when) {
		e.classList.toggle('later', when > t);
	}
	nodeList.forEach(function (n) { late(n.el, n.t); });
	edgeList.forEach(function (e) {
		late(e.el, e.t);
		if (e.label)
			late(e.label, e.t);
	});
	all('.tick,.step,.mark-of').forEach(function (e) { late(e, number(e, 't', -Infinity)); });
	moment.textContent = isFinite(state.t) ? clock(state.t, true) : 'all times';
	if (!scrub)
		return;
	scrub.setAttribute('transform', 'translate(' + xOf(state.t) + ',0)');
	scrub.setAttribute('aria-valuenow', String(isFinite(state.t) ? state.t : times[times.length - 1]));
	scrub.setAttribute('aria-valuetext', isFinite(state.t) ? clock(state.t, true) : 'all times');
}
function sheetPoint(event, within) {
	var p = new DOMPoint(event.clientX, event.clientY).matrixTransform((within || sheet).getScreenCTM().inverse());
	return p;
}
function dragTime(event) {
	setTime(tOf(sheetPoint(event, plot).x));
}
if (plot && axis.length) {
	var top = Number(plot.getAttribute('data-top')), bottom = Number(plot.getAttribute('data-bottom'));
	scrub = draw('g', {'class': 'ui-scrub', id: 'scrub', role: 'slider', tabindex: '0', 'aria-label': 'time shown', 'aria-valuemin': String(times[0]), 'aria-valuemax': String(times[times.length - 1])});
	put(scrub, draw('rect', {'class': 'room', x: -8, y: top - 18, width: 16, height: bottom - top + 18}), draw('path', {'class': 'stem', d: 'M0,' + (top - 4) + ' L0,' + bottom}),
		draw('path', {'class': 'grip', d: 'M-5,' + (top - 16) + ' L5,' + (top - 16) + ' L5,' + (top - 6) + ' L0,' + top + ' L-5,' + (top - 6) + ' Z'}));
	plot.appendChild(scrub);
	scrub.addEventListener('pointerdown', function (event) {
		event.preventDefault();
		scrub.setPointerCapture(event.pointerId);
		scrub.focus();
	});
	scrub.addEventListener('pointermove', function (event) {
		if (scrub.hasPointerCapture(event.pointerId))
			dragTime(event);
	});
	scrub.addEventListener('keydown', function (event) {
		if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
			event.preventDefault();
			stepTime(event.key === 'ArrowLeft' ? -1 : 1);
		} else if (event.key === 'Home' || event.key === 'End') {
			setTime(event.key === 'Home' ? times[0] : Infinity);
		}
	});
}

// ---- the story beside the graph, where the window has room for it

function toggleStory(show) {
	aside.hidden = show === undefined ? !aside.hidden : !show;
	root.classList.toggle('beside', !aside.hidden);
}
function fillStory() {
	var list = make('ol');
	steps.forEach(function (s) {
		var id = s.getAttribute('data-edge') || s.getAttribute('data-node'), texts = all('text', s).map(function (t) { return t.textContent; });
		var numbered = has(s, 'step'), li = make('li', {'class': 'ui-step'}), b = button('', '', function () { select(id, true); });
		if (id)
			b.setAttribute('data-of', id);
		b.removeAttribute('title');
		b.removeAttribute('aria-label');
		put(b, make('span', {'class': 'n' + (s.querySelector('.pathchip') ? ' p' : numbered ? '' : ' a')}, numbered ? texts.shift() : '!'),
			make('time', {}, texts.shift()), make('span', {}, fact('s' + (s.getAttribute('data-step') || '0'), 'words')));
		b.disabled = !id;
		put(list, put(li, b));
	});
	put(aside, make('h2', {}, 'Story'), list);
}

// ---- selection and light

function mark(e, id, light) {
	var on = light.strong[id] ? 2 : light.weak[id] ? 1 : 0;
	e.classList.toggle('weak', on === 1);
	e.classList.toggle('dim', on === 0);
}
function plain(e) {
	e.classList.remove('weak', 'dim', 'sel');
}
function showSelection() {
	var everything = all('.node,#graph .edge,.label,.lane,.tick,.step,.mark-of');
	everything.forEach(plain);
	if (!state.sel) {
		drawer.hidden = space.hidden = true;
		return;
	}
	var light = lightOf(state.sel);
	var ofNodes = {strong: light.strong.nodes, weak: light.weak.nodes}, ofEdges = {strong: light.strong.edges, weak: light.weak.edges};
	nodeList.forEach(function (n) {
		mark(n.el, n.id, ofNodes);
		if (n.lane)
			mark(n.lane, n.id, ofNodes);
	});
	edgeList.forEach(function (e) {
		[e.el].concat(e.also).forEach(function (el) {
			if (!el.classList.contains('step'))
				mark(el, e.id, ofEdges);
		});
		var touches = state.sel === e.id;
		[e.el].concat(e.also).forEach(function (el) { el.classList.toggle('sel', touches); });
	});
	steps.forEach(function (s) {
		var e = edges[s.getAttribute('data-edge')], n = s.getAttribute('data-node');
		var mine = e && (e.from === state.sel || e.to === state.sel || e.id === state.sel);
		s.classList.toggle('sel', Boolean(mine || n === state.sel));
	});
	all('.ui-step button', aside).forEach(function (b) { b.classList.toggle('sel', b.getAttribute('data-of') === state.sel); });
	if (nodes[state.sel]) {
		nodes[state.sel].el.classList.add('sel');
		if (nodes[state.sel].lane)
			nodes[state.sel].lane.classList.add('sel');
	}
	showDetails(light);
}
function select(id, reveal) {
	state.sel = id;
	if (!id)
		state.dir = '';
	apply();
	var target = nodes[id] || edges[id];
	if (target && reveal)
		target.el.scrollIntoView({block: 'center', inline: 'center'});
}
function clearAll() {
	state.sel = state.dir = state.q = search.value = '';
	state.hide = [];
	state.t = Infinity;
	help.hidden = true;
	apply();
}

// ---- details

function row(list, key, value) {
	if (value)
		put(list, make('dt', {}, key), make('dd', {}, value));
}
function section(heading) {
	return put(make('section'), make('h3', {}, heading));
}
function copyText(text, b) {
	function done() {
		b.textContent = 'copied';
	}
	if (navigator.clipboard && navigator.clipboard.writeText)
		navigator.clipboard.writeText(text).then(done, function () { b.textContent = 'not copied'; });
}
function reference(e, here) {
	var other = e.from === here ? e.to : e.from, n = nodes[e.from];
	var words = clock(e.t, true) + '  ' + (here ? (e.from === here ? '\u2192 ' : '\u2190 ') : '') + nameOf(other) + ': ' + fact(e.id, 'what');
	var b = button(words, 'details of this link', function () { select(e.id, false); });
	b.setAttribute('class', 'ref');
	var after = span(e.t - n.t);
	if (after)
		put(b, make('span', {'class': 'quiet', title: 'after ' + nameOf(e.from) + ' was first seen'}, '  ' + after));
	return put(make('li'), b);
}
function rawRecords(e) {
	var box = make('div'), keys = (listedRecords(e.id)), further = listed(e.id, 'records'), seen = {};
	keys.forEach(function (key) {
		var d = records[key];
		if (!d)
			return;
		seen[d.getAttribute('data-serial')] = true;
		put(box, make('div', {'class': 'quiet'}, 'serial ' + d.getAttribute('data-serial') + ', ' + clock(number(d, 't', 0), true)), make('pre', {}, d.textContent));
	});
	var rest = listed(e.id, 'serials').filter(function (s) { return !seen[s]; }).concat(further);
	if (rest.length)
		put(box, make('div', {'class': 'quiet'}, (keys.length ? 'further serials: ' : 'serials: ') + rest.join(' ')));
	var more = Number(fact(e.id, 'events').replace(/,/g, '')) - keys.length - rest.length;
	if (more > 0)
		put(box, make('div', {'class': 'quiet'}, 'and ' + more + ' more events'));
	return box;
}
function listedRecords(id) {
	var found = (facts[id] || []).filter(function (d) { return d.getAttribute('data-key') === 'records'; })[0];
	return found ? found.getAttribute('data-list').split(' ').filter(Boolean) : [];
}
function folding(words, fill, open) {
	var d = put(make('details'), make('summary', {}, words)), filled = false;
	function once() {
		if (!filled)
			put(d, fill());
		filled = true;
	}
	d.addEventListener('toggle', once);
	if (open) {
		d.setAttribute('open', '');
		once();
	}
	return d;
}
function memberTable(fold, limit) {
	var table = make('table'), list = members[fold] || [];
	list.slice(0, limit).forEach(function (d) {
		put(table, put(make('tr'), make('td', {}, clock(number(d, 't', Infinity), false)), make('td', {}, d.getAttribute('data-kind')),
			make('td', {}, d.textContent), make('td', {'class': 'quiet'}, d.getAttribute('data-score'))));
	});
	return table;
}
function nodeSections(n, columns, light) {
	var about = section('What it is'), list = make('dl'), why = section('Why it is here');
	(facts[n.id] || []).forEach(function (d) {
		var key = d.getAttribute('data-key');
		if (key !== 'name' && !/^(mark|reason|score|recover|restore)$/.test(key))
			row(list, key, d.textContent);
	});
	put(about, list);
	(facts[n.id] || []).forEach(function (d) {
		if (d.getAttribute('data-key') === 'mark')
			put(why, make('div', {}, d.textContent));
	});
	put(why, make('div', {}, fact(n.id, 'reason')));
	if (fact(n.id, 'score'))
		put(why, make('h3', {}, 'Every factor of its score'), make('pre', {'class': 'score'}, fact(n.id, 'score')));
	put(columns, about, why);
	if (fact(n.id, 'restore')) {
		var restore = section('What can be recovered'), b = button('Copy', 'copy the command', function () { copyText(fact(n.id, 'restore'), b); });
		put(restore, make('div', {}, fact(n.id, 'recover') + ':'), make('pre', {'class': 'command'}, fact(n.id, 'restore')), b,
			make('div', {'class': 'quiet'}, 'By the audited machine\u2019s clock. HISTORY is the history of the file\u2019s disk; this case was made without one.'));
		put(columns, restore);
	}
	if (n.fold) {
		var inside = section('Members'), shown = members[n.fold] || [], total = Number(fact(n.fold, 'count'));
		put(inside, make('div', {'class': 'quiet'}, total + ' in all' + (total > shown.length ? '; the best ' + shown.length + ' are in this file, all of them in the json output' : '')),
			memberTable(n.fold, 40));
		if (shown.length > 40)
			put(inside, folding('all ' + shown.length, function () { return memberTable(n.fold, Infinity); }, false));
		put(columns, inside);
	}
	var links = section('Links'), ul = make('ul');
	n.into.concat(n.out).sort(function (a, b) { return a.t - b.t; }).forEach(function (e) { put(ul, reference(e, n.id)); });
	put(links, make('div', {'class': 'quiet'}, Object.keys(light.strong.nodes).length - 1 + ' boxes on the direct chain, ' +
		(Object.keys(light.weak.nodes).filter(function (id) { return !light.strong.nodes[id]; }).length) + ' more possible in time'), ul);
	put(columns, links);
	var raw = section('Raw audit records');
	n.into.concat(n.out).sort(function (a, b) { return a.t - b.t; }).forEach(function (e) {
		put(raw, folding(clock(e.t, true) + '  ' + nameOf(e.from) + ' \u2192 ' + nameOf(e.to) + ': ' + fact(e.id, 'what'), function () { return rawRecords(e); }, n.into.length + n.out.length === 1));
	});
	put(columns, raw);
}
function edgeSections(e, columns) {
	var about = section('What happened'), list = make('dl'), ends = section('Between'), raw = section('Raw audit records');
	row(list, 'what', fact(e.id, 'what'));
	row(list, 'when', clock(e.t, true) + (isFinite(e.until) && e.until > e.t + 0.0005 ? ' \u2013 ' + clock(e.until, true) : e.until === Infinity ? ' \u2013 open when the log ends' : ''));
	row(list, 'elapsed', span(e.t - nodes[e.from].t) && span(e.t - nodes[e.from].t) + ' after ' + nameOf(e.from) + ' was first seen');
	row(list, 'how sure', fact(e.id, 'sure'));
	row(list, 'events', fact(e.id, 'events'));
	put(about, list);
	[e.from, e.to].forEach(function (id, i) {
		var b = button((i ? 'to ' : 'from ') + nameOf(id), 'details', function () { select(id, false); });
		b.setAttribute('class', 'ref');
		put(ends, b);
	});
	put(raw, rawRecords(e));
	put(columns, about, ends, raw);
}
function openDrawer(heading, controls, columns) {
	var close = button('\u00d7', 'close ( Esc )', function () { select('', false); });
	put(clear(drawer), put(make('header'), make('h2', {}, heading), controls, put(make('div', {'class': 'end'}), close)), columns);
	drawer.hidden = space.hidden = false;
	drawer.scrollTop = 0;
}
function showDetails(light) {
	var n = nodes[state.sel], e = edges[state.sel], columns = make('div', {'class': 'columns'}), controls = make('div', {'class': 'group'});
	[['', 'Both'], ['led', 'Led here'], ['followed', 'Followed']].forEach(function (choice) {
		var b = button(choice[1], choice[1], function () {
			state.dir = choice[0];
			apply();
		});
		b.setAttribute('aria-pressed', String(state.dir === choice[0]));
		put(controls, b);
	});
	put(controls, button('Show', 'show it in the graph', function () { (n || e).el.scrollIntoView({block: 'center', inline: 'center'}); }));
	if (n && n.fold)
		put(controls, button(state.open.indexOf(n.fold) >= 0 ? 'Collapse' : 'Expand', 'expand or collapse ( E )', function () { toggleFold(n.fold); }));
	if (n)
		nodeSections(n, columns, light);
	else
		edgeSections(e, columns);
	openDrawer(n ? n.kind + ' ' + nameOf(n.id) : nameOf(e.from) + ' \u2192 ' + nameOf(e.to), controls, columns);
}
function showMember(d) {
	var columns = make('div', {'class': 'columns'}), about = section('Folded'), list = make('dl');
	row(list, d.getAttribute('data-kind'), d.textContent);
	row(list, 'pid', d.getAttribute('data-pid'));
	row(list, 'inode', d.getAttribute('data-inode'));
	row(list, 'first seen', clock(number(d, 't', Infinity), true));
	row(list, 'score', d.getAttribute('data-score'));
	put(about, list, make('div', {'class': 'quiet'}, 'provgraph --why gives every factor of its score'));
	openDrawer(d.textContent, null, put(columns, about));
}

// ---- filter, zoom, theme

function showFilter() {
	function off(e, hidden) {
		e.classList.toggle('off', hidden);
	}
	nodeList.forEach(function (n) {
		n.off = state.hide.indexOf(n.kind) >= 0;
		off(n.el, n.off);
		if (n.lane)
			off(n.lane, n.off);
	});
	edgeList.forEach(function (e) {
		var hidden = state.hide.indexOf(e.style) >= 0 || nodes[e.from].off || nodes[e.to].off;
		[e.el].concat(e.also).forEach(function (el) {
			if (!el.classList.contains('step'))
				off(el, hidden);
		});
	});
	all('.key[data-filter]').forEach(function (key) {
		var hidden = state.hide.indexOf(key.getAttribute('data-filter')) >= 0;
		key.classList.toggle('pressed', hidden);
		key.setAttribute('aria-pressed', String(hidden));
	});
}
all('.key[data-filter]').forEach(function (key) {
	var what = key.getAttribute('data-filter');
	key.setAttribute('role', 'button');
	key.setAttribute('tabindex', '0');
	key.setAttribute('aria-label', 'hide or show: ' + key.textContent);
	function flip() {
		var at = state.hide.indexOf(what);
		if (at >= 0)
			state.hide.splice(at, 1);
		else
			state.hide.push(what);
		apply();
	}
	key.addEventListener('click', flip);
	onEnter(key, flip);
});
function onEnter(e, act) {
	e.addEventListener('keydown', function (event) {
		if (event.target === e && (event.key === 'Enter' || event.key === ' ')) {
			event.preventDefault();
			act();
		}
	});
}
function viewBox() {
	return state.view || [fitBox[0], fitBox[1], fitBox[2], fitBox[3] + extra()];
}
function setView(box) {
	state.view = box;
	showView();
	writeState();
}
var ground = draw('rect', {'class': 'ui-ground'}); // something to hold on to between the boxes
if (view)
	view.insertBefore(ground, view.firstChild);
function showView() {
	var box = viewBox();
	if (view)
		view.setAttribute('viewBox', box.join(' '));
	['x', 'y', 'width', 'height'].forEach(function (key, i) { ground.setAttribute(key, box[i]); });
}
function zoom(by, at) {
	var box = viewBox(), w = Math.min(Math.max(box[2] * by, fitBox[2] / 12), fitBox[2] * 3), scale = w / box[2];
	var x = at ? at.x : box[0] + box[2] / 2, y = at ? at.y : box[1] + box[3] / 2;
	setView([x - (x - box[0]) * scale, y - (y - box[1]) * scale, w, box[3] * scale]);
}
function fit() {
	setView(null);
}
function isDark() {
	return state.theme ? state.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}
function showTheme() {
	if (state.theme)
		root.setAttribute('data-theme', state.theme);
	else
		root.removeAttribute('data-theme');
}
function toggleTheme() {
	state.theme = isDark() ? 'light' : 'dark';
	showTheme();
	writeState();
}
function apply() {
	showTheme();
	showView();
	showFilter();
	showSelection();
	showTime();
	runSearch();
	writeState();
}

// ---- pointer and keys

var drag = null;
if (view) {
	view.addEventListener('pointerdown', function (event) {
		if (event.button === 0 && !event.target.closest('.ui-toggle'))
			drag = {x: event.clientX, y: event.clientY, box: viewBox(), scale: view.getScreenCTM().a, moved: false};
	});
	view.addEventListener('wheel', function (event) {
		if (!event.ctrlKey && !event.altKey)
			return;
		event.preventDefault();
		zoom(Math.exp(Math.max(-0.5, Math.min(0.5, event.deltaY / 400))), sheetPoint(event, document.getElementById('graph')));
	}, {passive: false});
}
addEventListener('pointermove', function (event) {
	if (!drag)
		return;
	var dx = event.clientX - drag.x, dy = event.clientY - drag.y;
	if (!drag.moved && Math.abs(dx) + Math.abs(dy) < 5)
		return;
	drag.moved = true;
	view.classList.add('drag');
	state.view = [drag.box[0] - dx / drag.scale, drag.box[1] - dy / drag.scale, drag.box[2], drag.box[3]];
	showView();
});
addEventListener('pointerup', function () {
	if (!drag)
		return;
	view.classList.remove('drag');
	if (drag.moved) {
		writeState();
		addEventListener('click', function (event) { event.stopPropagation(); }, {capture: true, once: true});
		setTimeout(function () { drag = null; }, 0);
	}
	drag = null;
});
// What something on the page stands for: a node or an edge.
function idOf(target) {
	var e = target.closest('.node:not(.member),#graph .edge,[data-edge],[data-node],.mark-of');
	if (!e)
		return '';
	if (e.classList.contains('mark-of')) {
		var s = byStep[e.getAttribute('data-steps').split(' ')[0]];
		return s ? s.getAttribute('data-edge') || s.getAttribute('data-node') || '' : '';
	}
	return e.getAttribute('data-edge') || e.getAttribute('data-node') || e.id;
}
sheet.addEventListener('click', function (event) {
	var id = idOf(event.target);
	if (id)
		select(id, false);
	else if (event.target.closest('#view'))
		select('', false);
});
var hot = [];
sheet.addEventListener('pointerover', function (event) {
	var id = idOf(event.target), e = edges[id];
	hot.forEach(function (el) { el.classList.remove('hot'); });
	hot = e ? [e.el].concat(e.also) : nodes[id] ? [nodes[id].el, nodes[id].lane].filter(Boolean) : [];
	hot.forEach(function (el) { el.classList.add('hot'); });
});
nodeList.forEach(function (n) {
	n.el.setAttribute('tabindex', '0');
	onEnter(n.el, function () { select(n.id, false); });
});
steps.concat(all('.note[data-node],.restore[data-node]')).forEach(function (s) {
	var box = s.getBBox();
	s.insertBefore(draw('rect', {'class': 'hitrow', x: box.x - 4, y: box.y - 1, width: box.width + 8, height: box.height + 2, rx: 3}), s.firstChild);
	if (!idOf(s))
		return;
	if (s.classList.contains('step')) {
		s.setAttribute('tabindex', '0');
		s.setAttribute('role', 'button');
		s.setAttribute('aria-label', (has(s, 'step') ? 'step ' + s.getAttribute('data-step') : 'alert') + ', ' + clock(number(s, 't', Infinity)) + ': ' + fact('s' + (s.getAttribute('data-step') || '0'), 'words'));
		onEnter(s, function () { select(idOf(s), false); });
	}
});
addEventListener('keydown', function (event) {
	if (event.target.closest && event.target.closest('input') || event.ctrlKey || event.metaKey || event.altKey)
		return;
	var chosen = nodes[state.sel];
	var acts = {
		'/': function () { search.focus(); search.select(); }, '[': function () { stepTime(-1); }, ']': function () { stepTime(1); },
		'+': function () { zoom(0.8); }, '-': function () { zoom(1.25); }, '0': fit, 't': toggleTheme, 'T': toggleTheme, 's': function () { toggleStory(); }, '?': toggleHelp,
		'e': function () { if (chosen && chosen.fold) toggleFold(chosen.fold); },
		'l': function () { state.dir = state.dir === 'led' ? '' : 'led'; apply(); }, 'f': function () { state.dir = state.dir === 'followed' ? '' : 'followed'; apply(); },
		'Escape': function () { if (help.hidden) select('', false); else toggleHelp(); },
	};
	if (!Object.prototype.hasOwnProperty.call(acts, event.key))
		return;
	event.preventDefault();
	acts[event.key]();
});

// ---- print: A3, panes that fit a page are not torn apart

var PAGE = (297 - 16) / (420 - 16); // height of an A3 page by its width, without margins
function beforePrint() {
	var high = own.sheet[2] * PAGE, shift = 0, more = extra(), panes = all('.pane');
	sheet.setAttribute('data-printed', '1');
	root.setAttribute('data-theme', 'light');
	if (view)
		view.setAttribute('viewBox', [fitBox[0], fitBox[1], fitBox[2], fitBox[3] + more].join(' '));
	panes.forEach(function (p, i) {
		var start = Number(p.getAttribute('data-top')) + (i ? more : 0), end = i + 1 < panes.length ? Number(panes[i + 1].getAttribute('data-top')) + more : own.sheet[3] + more;
		var tall = end - start, left = high - (start + shift) % high, scale = Math.min(1, high / tall);
		if (i && tall > left)
			shift += left;
		if (scale < 1) { // a pane that is taller than a page is made to fit one
			p.setAttribute('transform', 'translate(' + own.sheet[2] * (1 - scale) / 2 + ',' + (start + shift - (start - (i ? more : 0)) * scale) + ') scale(' + scale + ')');
			shift -= tall * (1 - scale);
			return;
		}
		p.setAttribute('transform', 'translate(0,' + (shift + (i ? more : 0)) + ')');
	});
	setHeight(Math.ceil((own.sheet[3] + more + shift) / high) * high);
}
function afterPrint() {
	sheet.removeAttribute('data-printed');
	all('.pane').forEach(function (p) { p.removeAttribute('transform'); });
	if (view)
		resize();
	apply();
}
addEventListener('beforeprint', beforePrint);
addEventListener('afterprint', afterPrint);

// ---- begin

fillStory();
toggleStory(innerWidth >= 1700 && steps.length > 0);
function begin() {
	state = readState();
	search.value = state.q;
	if (view && nodeList.length)
		openFolds();
	apply();
	var target = nodes[state.sel] || edges[state.sel];
	if (target)
		target.el.scrollIntoView({block: 'center', inline: 'center'});
}
addEventListener('hashchange', begin);
begin();
root.setAttribute('data-ready', '1');
}());

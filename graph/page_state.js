// SPDX-License-Identifier: MIT
// The state of the view is what the address line says, so that a link shows the same.
// ---- state, and the address line that keeps it

var state = {sel: '', dir: '', t: Infinity, q: '', open: [], hide: [], view: null, theme: '', disk: false};
var fitBox = view ? view.getAttribute('viewBox').split(' ').map(Number) : [0, 0, 1, 1];
var FILTERS = ['process', 'file', 'address', 'channel', 'kernel', 'fold', 'solid', 'read', 'connect', 'cut', 'unsure', 'same', 'unwritten'];

function between(n, least, most) {
	return n >= least && n <= most;
}
function readState() {
	var next = {sel: '', dir: '', t: Infinity, q: '', open: [], hide: [], view: null, theme: '', disk: false};
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
		else if (key === 'disk' && value === '1')
			next.disk = ofCase.length > 0;
	});
	if (next.view && !(next.view.every(isFinite) && between(next.view[2], 40, 40000) && between(next.view[3], 20, 40000)))
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
	add('disk', state.disk && !state.sel ? '1' : '');
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
	all('.line,.ticks', e.el).forEach(function (line) {
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
		if (n.toggle)
			n.toggle.setAttribute('transform', 'translate(' + (n.x + n.w - 9) + ',' + (n.y + n.h - 9 + n.shift) + ')');
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
	var kind = d.getAttribute('data-kind'), rounding = kind === 'process' ? 6 : 0;
	var g = draw('g', {'class': 'node member ' + kind, id: id, tabindex: '0', role: 'img', 'aria-label': kind + ' ' + d.textContent});
	var words = d.textContent;
	put(g, draw('title', {}, d.textContent), draw('rect', {'class': 'shape', x: x, y: y, width: CELL - 10, height: ROW - 6, rx: rounding}),
		draw('text', {'class': 'detail ink', x: x + 7, y: y + 13.5},
			words.length > 27 ? words.slice(0, 8) + '\u2026' + words.slice(-18) : words));
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
		put(g, draw('text', {'class': 'detail', x: b.x + 10, y: top + b.height - 22},
			rest > 0 ? 'and ' + rest + ' more: the details list them' : b.total + ' in all'));
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
	n.toggle = put(draw('g', {'class': 'ui-toggle', 'data-of': n.id, role: 'button', tabindex: '0'}), draw('circle', {r: 7.5}), n.plus);
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
	n.el.parentNode.insertBefore(n.toggle, n.el.nextSibling); // not inside: what is inside an image has no role of its own
});

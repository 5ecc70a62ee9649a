// SPDX-License-Identifier: MIT
// The bar above the drawing, and the story beside it.
// ---- the bar

var say = make('div', {'class': 'ui-say', 'aria-live': 'polite'});
var search = make('input', {type: 'search', id: 'search', placeholder: 'Search name, path, pid ( / )',
	'aria-label': 'search names, paths, pids', autocomplete: 'off', spellcheck: 'false'});
var count = make('output', {'for': 'search', id: 'count', 'aria-live': 'polite'});
var moment = make('output', {id: 'moment'});
var bar = put(make('div', {'class': 'ui-bar', role: 'toolbar', 'aria-label': 'case page'}),
	put(make('div', {'class': 'group', role: 'search'}), search, count),
	put(make('div', {'class': 'group'}), button('\u25c2', 'event before ( [ )', function () { stepTime(-1); }), moment,
		button('\u25b8', 'next event ( ] )', function () { stepTime(1); }), button('All', 'all of the time', function () { setTime(Infinity); })),
	put(make('div', {'class': 'group'}), button('\u2212', 'smaller ( - )', function () { zoom(1.25); }),
		button('+', 'larger ( + )', function () { zoom(0.8); }),
		button('Fit', 'whole graph ( 0 )', fit)),
	put(make('div', {'class': 'group end'}), button('Story', 'story beside the graph ( S )', function () { toggleStory(); }),
		button('Clear', 'nothing selected, nothing hidden ( Esc )', clearAll), button('Theme', 'light or dark ( T )', toggleTheme),
		button('?', 'keys ( ? )', toggleHelp)), say);
body.insertBefore(bar, sheet);
var help = make('div', {'class': 'ui-help', role: 'dialog', 'aria-label': 'keys', hidden: ''});
put(help, make('h2', {}, 'Keys'), make('dl'), button('Close', 'close', toggleHelp));
[['/', 'search; Enter goes from match to match'], ['[ ]', 'event by event'], ['Tab, Enter', 'from node to node; select'],
	['+ \u2212 0', 'zoom the graph; fit. Ctrl or Alt and the wheel, too; drag to move'],
	['E', 'expand or collapse the selected fold'], ['L F', 'only what led here; only what followed'],
	['S', 'the story beside the graph'], ['D', 'what the disks hold, where one was asked'], ['T', 'light or dark'], ['Esc', 'clear the selection']].forEach(function (row) {
	put(help.querySelector('dl'), make('dt', {}, row[0]), make('dd', {}, row[1]));
});
var drawer = make('aside', {'class': 'ui-drawer', 'aria-label': 'details', hidden: ''});
var space = make('div', {'class': 'ui-space', hidden: ''});
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
	var both = drawn + folded, words = both === 0 ? 'no match' : both === 1 ? '1 match' : both + ' matches';
	count.textContent = wanted === '' ? '' : words + (folded ? ', ' + folded + ' folded' : '');
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
			return i === 0 ? axis[0].x : axis[i].x - (axis[i].x - axis[i - 1].x) * (axis[i].t - t) / (axis[i].t - axis[i - 1].t);
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
	var ofSteps = steps.map(function (e) { return number(e, 't', Infinity); });
	var events = edgeList.map(function (e) { return e.t; }).concat(ofSteps).filter(isFinite).sort(function (a, b) { return a - b; });
	var later = events.filter(function (t) { return isFinite(state.t) && t > state.t + 1e-7; });
	var earlier = events.filter(function (t) { return t < state.t - 1e-7; });
	var next = by > 0 ? later[0] : earlier.pop();
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
	nodeList.forEach(function (n) {
		late(n.el, n.t);
		if (n.toggle)
			late(n.toggle, n.t);
	});
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
	scrub = draw('g', {'class': 'ui-scrub', id: 'scrub', role: 'slider', tabindex: '0', 'aria-label': 'time shown',
		'aria-valuemin': String(times[0]), 'aria-valuemax': String(times[times.length - 1])});
	put(scrub, draw('rect', {'class': 'room', x: -8, y: top - 18, width: 16, height: bottom - top + 18}),
		draw('path', {'class': 'stem', d: 'M0,' + (top - 4) + ' L0,' + bottom}),
		draw('path', {'class': 'grip', d: 'M-5,' + (top - 16) + ' L5,' + (top - 16) + ' L5,' + (top - 6) + ' L0,' + top +
			' L-5,' + (top - 6) + ' Z'}));
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

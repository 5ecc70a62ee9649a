// SPDX-License-Identifier: MIT
// What the reader does, and what the printer needs.
// ---- filter, zoom, theme

function showFilter() {
	function off(e, hidden) {
		e.classList.toggle('off', hidden);
	}
	nodeList.forEach(function (n) {
		n.off = state.hide.indexOf(n.kind) >= 0;
		bodies(n).forEach(function (el) { off(el, n.off); });
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
all('.stop').forEach(function (stop) {
	stop.setAttribute('tabindex', '0');
	stop.setAttribute('role', 'button');
	stop.setAttribute('aria-label', 'on the path: ' + nameOf(idOf(stop)));
	onEnter(stop, function () { select(idOf(stop), false); });
});
nodeList.forEach(function (n) {
	n.el.setAttribute('tabindex', '0');
	onEnter(n.el, function () { select(n.id, false); });
});
steps.concat(all('.note[data-node],.restore[data-node]')).forEach(function (s) {
	var box = s.getBBox();
	s.insertBefore(draw('rect', {'class': 'hitrow', x: box.x - 4, y: box.y - 1, width: box.width + 8,
		height: box.height + 2, rx: 3}), s.firstChild);
	if (!idOf(s))
		return;
	if (s.classList.contains('step')) {
		s.setAttribute('tabindex', '0');
		s.setAttribute('role', 'button');
		s.setAttribute('aria-label', (has(s, 'step') ? 'step ' + s.getAttribute('data-step') : 'alert') + ', ' +
			clock(number(s, 't', Infinity)) + ': ' + fact('s' + (s.getAttribute('data-step') || '0'), 'words'));
		onEnter(s, function () { select(idOf(s), false); });
	}
});
function turn(dir) {
	state.dir = state.dir === dir ? '' : dir;
	apply();
}
addEventListener('keydown', function (event) {
	if (event.target.closest && event.target.closest('input') || event.ctrlKey || event.metaKey || event.altKey)
		return;
	var chosen = nodes[state.sel];
	var acts = {
		'/': function () { search.focus(); search.select(); }, '[': function () { stepTime(-1); }, ']': function () { stepTime(1); },
		'+': function () { zoom(0.8); }, '-': function () { zoom(1.25); }, '0': fit, 't': toggleTheme, 'T': toggleTheme,
		's': function () { toggleStory(); }, '?': toggleHelp,
		'e': function () { if (chosen && chosen.fold) toggleFold(chosen.fold); },
		'd': function () { if (ofCase.length) toggleDisks(); },
		'l': function () { turn('led'); }, 'f': function () { turn('followed'); },
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
	var high = own.sheet[2] * PAGE, y = 0, more = extra(), panes = all('.pane');
	sheet.setAttribute('data-printed', '1');
	root.setAttribute('data-theme', 'light');
	if (view)
		view.setAttribute('viewBox', [fitBox[0], fitBox[1], fitBox[2], fitBox[3] + more].join(' '));
	panes.forEach(function (p, i) {
		var begin = Number(p.getAttribute('data-top')), next = panes[i + 1], end = next ? Number(next.getAttribute('data-top')) : own.sheet[3];
		var tall = end - begin + (i ? 0 : more), scale = Math.min(1, high / tall); // one that is taller than a page is made to fit
		var page = Math.floor(y / high + 0.001);
		if (y > page * high + 1 && y + tall * scale > (page + 1) * high + 1)
			y = (page + 1) * high;
		p.setAttribute('transform', 'translate(' + own.sheet[2] * (1 - scale) / 2 + ',' + (y - begin * scale) + ') scale(' + scale + ')');
		y += tall * scale;
	});
	setHeight(Math.ceil(y / high - 0.001) * high);
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

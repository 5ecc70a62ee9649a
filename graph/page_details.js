// SPDX-License-Identifier: MIT
// What is selected, and everything that the file holds about it.
// ---- selection and light

// Everything on the page that stands for a node.
function bodies(n) {
	return [n.el, n.lane, n.toggle].filter(Boolean);
}
function mark(e, id, light) {
	var on = light.strong[id] ? 2 : light.weak[id] ? 1 : 0;
	e.classList.toggle('weak', on === 1);
	e.classList.toggle('dim', on === 0);
}
function plain(e) {
	e.classList.remove('weak', 'dim', 'sel');
}
function showSelection() {
	var everything = all('.node,.ui-toggle,#graph .edge,.label,.lane,.tick,.step,.mark-of');
	everything.forEach(plain);
	if (!state.sel) {
		drawer.hidden = space.hidden = !state.disk;
		if (state.disk)
			showDisks();
		return;
	}
	var light = lightOf(state.sel);
	var ofNodes = {strong: light.strong.nodes, weak: light.weak.nodes}, ofEdges = {strong: light.strong.edges, weak: light.weak.edges};
	nodeList.forEach(function (n) {
		bodies(n).forEach(function (el) { mark(el, n.id, ofNodes); });
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
	state.disk = false;
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
	state.disk = false;
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
		put(box, make('div', {'class': 'quiet'},
			'serial ' + d.getAttribute('data-serial') + ', ' + clock(number(d, 't', 0), true)), make('pre', {}, d.textContent));
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
		if (!/^(name|mark|reason|score|on disk( lost)?)$/.test(key) && !OF_RECOVERY.test(key))
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
	if (fact(n.id, 'restore'))
		put(columns, recoverSection(n, 'What can be recovered'));
	if (fact(n.id, 'on disk') || fact(n.id, 'on disk lost'))
		put(columns, diskStates(n));
	if (n.fold) {
		var inside = section('Members'), shown = members[n.fold] || [], total = Number(fact(n.fold, 'count'));
		// A fold's name leaves channels out: without this its numbers would not add up.
		var channels = shown.filter(function (d) { return d.getAttribute('data-kind') === 'channel'; }).length;
		put(inside, make('div', {'class': 'quiet'},
			total + ' in all' + (channels && channels < total ? ', with ' + channels + (channels > 1 ? ' pipes and sockets' : ' pipe or socket') : '') + (total > shown.length ? '; the best ' + shown.length + ' are in this file, all of them in the json output' : '')),
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
		put(raw, folding(clock(e.t, true) + '  ' + nameOf(e.from) + ' \u2192 ' + nameOf(e.to) + ': ' +
			fact(e.id, 'what'), function () { return rawRecords(e); }, n.into.length + n.out.length === 1));
	});
	put(columns, raw);
}
function edgeSections(e, columns) {
	var about = section('What happened'), list = make('dl'), ends = section('Between'), raw = section('Raw audit records');
	row(list, 'what', fact(e.id, 'what'));
	var end = e.until === Infinity ? ' \u2013 open when the log ends' : e.until > e.t + 0.0005 ? ' \u2013 ' + clock(e.until, true) : '';
	row(list, 'when', clock(e.t, true) + end);
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
		put(controls, button(state.open.indexOf(n.fold) >= 0 ? 'Collapse' : 'Expand', 'expand or collapse ( E )',
			function () { toggleFold(n.fold); }));
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

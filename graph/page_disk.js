// SPDX-License-Identifier: MIT
// What recorded disks add: the states of a file with their three times, contents that can be had back, findings.
// ---- a file

var STATES_LISTED = 6; // of a file; of more those in the middle are folded
var OF_RECOVERY = /^(recover|restore|restore-after|content|sha256-(before|after|executed)|preview)$/;

// Of one node: an object for each "recover", with the facts that follow it.
function recoveriesOf(n) {
	var found = [];
	(facts[n.id] || []).forEach(function (d) {
		var key = d.getAttribute('data-key');
		if (key === 'recover' || (key === 'restore' && (!found.length || found[found.length - 1].restore)))
			found.push({});
		if (OF_RECOVERY.test(key) && found.length)
			found[found.length - 1][key] = d.textContent;
	});
	return found;
}
function command(box, words, text) {
	var b = button('Copy', 'copy the command', function () { copyText(text, b); });
	put(box, words ? make('div', {'class': 'quiet'}, words) : null, make('pre', {'class': 'command'}, text), b);
}
// A line says by its first character whose it is (graph/preview.h).
function previewLines(text) {
	var box = make('pre', {'class': 'preview'});
	text.split('\n').forEach(function (line) {
		var kind = {'+': 'plus', '-': 'minus', '@': 'own'}[line.charAt(0)];
		put(box, make('span', kind ? {'class': kind} : {}, line));
	});
	return box;
}
function oneRecovery(box, r, open) {
	put(box, make('div', {}, (r.recover || 'a content') + (r.content ? ': ' + r.content : '') + (r.preview ? '' : ':')));
	var hashes = make('dl');
	row(hashes, 'sha256 before', r['sha256-before']);
	row(hashes, 'sha256 after', r['sha256-after']);
	row(hashes, 'sha256 as executed', r['sha256-executed']);
	if (hashes.firstChild)
		put(box, hashes);
	if (r.preview) {
		// Our own lines in front: what is compared, and how much differs.
		var lines = r.preview.split('\n'), own = 0;
		while (/^@ (?!line )/.test(lines[own] || ''))
			own++;
		var summary = lines.slice(0, own || 1).map(function (line) { return line.replace(/^@ /, ''); }).join('; ');
		put(box, folding('before and after: ' + summary, function () { return previewLines(r.preview); }, open));
	}
	if (r.restore)
		command(box, r['restore-after'] ? 'the content before:' : '', r.restore);
	if (r['restore-after'])
		command(box, 'the first content after:', r['restore-after']);
}
// Of a disk that was not named.
function isElsewhere(r) {
	return / --disk HISTORY /.test(r.restore || '');
}
function recoverSection(n, heading) {
	var box = section(heading), list = recoveriesOf(n), named = false;
	list.forEach(function (r) {
		if (r.preview)
			box.setAttribute('class', 'wide');
		oneRecovery(box, r, list.length === 1);
		named = named || isElsewhere(r);
	});
	if (!disksAsked)
		put(box, make('div', {'class': 'quiet'}, 'By the audited machine\u2019s clock. HISTORY is the history of the file\u2019s disk; ' +
			'this case was made without one.'));
	else if (named)
		put(box, make('div', {'class': 'quiet'}, 'HISTORY stands for the history of a disk that was not named.'));
	return box;
}
function isLoss(d) { return d.getAttribute('data-key') === 'on disk lost'; }
function stateList(states) {
	var list = make('ol', {'class': 'states'});
	states.forEach(function (d) {
		var lines = d.textContent.split('\n'), li = make('li', isLoss(d) ? {'class': 'loss'} : {}, lines[0]);
		lines.slice(1).forEach(function (line) { put(li, make('div', {'class': 'quiet'}, line)); });
		put(list, li);
	});
	return list;
}
// What was lost is never folded: it is what the file was clicked for.
function diskStates(n) {
	var box = section('On the disk'), run = [], states = (facts[n.id] || []).filter(function (d) { return /^on disk( lost)?$/.test(d.getAttribute('data-key')); });
	function fold() {
		var folded = run;
		run = [];
		if (folded.length > 0)
			put(box, folding(folded.length + ' more', function () { return stateList(folded); }, false));
	}
	if (states.length <= STATES_LISTED)
		return put(box, stateList(states));
	states.forEach(function (d, i) {
		if (i >= 2 && i < states.length - 2 && !isLoss(d)) {
			run.push(d);
			return;
		}
		fold();
		put(box, stateList([d]));
	});
	return box;
}

// ---- the case: its disks, what they contradict, everything that they give back

var ofCase = facts['case'] || [];
var disksAsked = ofCase.some(function (d) { return d.getAttribute('data-key') === 'disk'; });
var EVENTS_LISTED = 10; // of a finding; of more the rest is folded
// A line for each event; its records lie behind it.
function eventLine(e) {
	return folding(e.words, function () {
		var box = make('div');
		e.records.forEach(function (d) {
			var was = d.getAttribute('data-key') === 'was';
			put(box, make('div', {'class': 'quiet'}, was ? 'was' : 'is'), make('pre', {'class': was ? 'minus' : 'plus'}, d.textContent));
		});
		return box;
	}, false);
}
function eventLines(list) {
	var box = make('div', {'class': 'events'});
	list.forEach(function (e) { put(box, eventLine(e)); });
	return box;
}
function findingSection() {
	var box = section('What the disk contradicts'), found = [];
	box.setAttribute('class', 'wide');
	ofCase.forEach(function (d) {
		var key = d.getAttribute('data-key'), last = found[found.length - 1];
		if (key === 'finding')
			found.push({words: d.textContent, events: []});
		else if (key === 'event' && last)
			last.events.push({words: d.textContent, records: []});
		else if ((key === 'was' || key === 'is') && last && last.events.length)
			last.events[last.events.length - 1].records.push(d);
	});
	found.forEach(function (f) {
		var here = put(make('div', {'class': 'finding'}), make('div', {'class': 'bad'}, f.words)), rest = f.events.slice(EVENTS_LISTED);
		put(here, eventLines(f.events.slice(0, EVENTS_LISTED)));
		if (rest.length)
			put(here, folding('+' + rest.length + ' more', function () { return eventLines(rest); }, false));
		put(box, here);
	});
	return found.length ? box : null;
}
function diskSection() {
	var box = section('Disks'), any = false;
	ofCase.forEach(function (d) {
		if (d.getAttribute('data-key') !== 'disk')
			return;
		put(box, make('div', {}, d.textContent));
		any = true;
	});
	return any ? box : null;
}
// Files that no disk of this case has: one line, their commands behind it.
function elsewhereSection(list) {
	if (!list.length)
		return null;
	return put(section('On other disks'), folding(list.length + (list.length === 1 ? ' further file lies' : ' further files lie') +
		' on no recorded disk that was named', function () {
		var box = make('div');
		list.forEach(function (n) { put(box, recoverSection(n, fact(n.id, 'path') || nameOf(n.id))); });
		return box;
	}, false));
}
function showDisks() {
	var columns = make('div', {'class': 'columns'}), elsewhere = [];
	put(columns, diskSection(), findingSection());
	[true, false].forEach(function (lost) { // files that lost something come first
		nodeList.forEach(function (n) {
			var list = Boolean(fact(n.id, 'on disk lost')) === lost ? recoveriesOf(n) : [];
			if (disksAsked && list.length && list.every(isElsewhere))
				elsewhere.push(n);
			else if (list.length)
				put(columns, recoverSection(n, fact(n.id, 'path') || nameOf(n.id)));
		});
	});
	put(columns, elsewhereSection(elsewhere));
	openDrawer('What the disks hold', null, columns);
}
if (disksAsked || ofCase.length)
	bar.querySelector('.end').insertBefore(button('Disk', 'what the disks hold ( D )', function () { toggleDisks(); }),
		bar.querySelector('.end').firstChild);
function toggleDisks() {
	state.disk = !state.disk && ofCase.length > 0;
	state.sel = state.disk ? '' : state.sel;
	apply();
}

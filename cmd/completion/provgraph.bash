# SPDX-License-Identifier: MIT
# bash completion for provgraph(1) and provgraph-disk(1). Options and verbs come from the program itself.
_provgraph_disk() { # provgraph disk VERB HISTORY ...
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	if ((COMP_CWORD == 2)); then
		mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" disk --verbs 2>/dev/null)" -- "$current")
		return
	fi
	case $previous in
	--sync) mapfile -t COMPREPLY < <(compgen -W 'staged direct' -- "$current") ;;
	--inline) mapfile -t COMPREPLY < <(compgen -W 'raw lz4' -- "$current") ;;
	--compress) mapfile -t COMPREPLY < <(compgen -W 'cold now never' -- "$current") ;;
	--format) mapfile -t COMPREPLY < <(compgen -W 'raw dm-log-writes' -- "$current") ;;
	--socket-group) mapfile -t COMPREPLY < <(compgen -g -- "$current") ;;
	--start | --from | --to) mapfile -t COMPREPLY < <(compgen -W 'now today yesterday recent' -- "$current") ;;
	*)
		if [[ $current == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" disk "${COMP_WORDS[2]}" --help 2>/dev/null |
				sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p')" -- "$current")
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$current")
			compopt -o filenames 2>/dev/null
		fi
		;;
	esac
}

_provgraph() {
	local current=${COMP_WORDS[COMP_CWORD]} previous='' word
	COMPREPLY=()
	if [[ ${COMP_WORDS[1]:-} == disk ]] && ((COMP_CWORD > 1)); then
		_provgraph_disk
		return
	fi
	((COMP_CWORD > 0)) && previous=${COMP_WORDS[COMP_CWORD - 1]}
	# --log takes several paths, and readline parts --disk fe:10=web01.history at : and =. The option in force is the last one typed.
	for ((word = COMP_CWORD - 1; word > 0; word--)); do
		[[ ${COMP_WORDS[word]} == --log || ${COMP_WORDS[word]} == --disk ]] && previous=${COMP_WORDS[word]} && break
		[[ ${COMP_WORDS[word]} == -* ]] && break
	done
	[[ $previous == --disk && $current == = ]] && current=''
	case $previous in
	--format)
		mapfile -t COMPREPLY < <(compgen -W 'svg html dot json csv graphml text' -- "$current")
		return
		;;
	--time-scale)
		mapfile -t COMPREPLY < <(compgen -W 'log linear' -- "$current")
		return
		;;
	--color)
		mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$current")
		return
		;;
	--window)
		mapfile -t COMPREPLY < <(compgen -W '5m 20m 2h 1d all' -- "$current")
		return
		;;
	--alert-time | --from | --to | --restore-at)
		mapfile -t COMPREPLY < <(compgen -W 'now today yesterday recent' -- "$current")
		return
		;;
	--tz)
		mapfile -t COMPREPLY < <(cd /usr/share/zoneinfo 2>/dev/null && compgen -f -- "$current")
		return
		;;
	--log | --alert | --baseline | --output | -o | --why | --disk | --evidence)
		if [[ $current != -* ]]; then
			mapfile -t COMPREPLY < <(compgen -f -- "$current")
			compopt -o filenames 2>/dev/null
			return
		fi
		;;
	--alert-ip | --alert-port | --alert-id | --host | --path | --inode | --versions | --disk-log) return ;;
	esac
	if [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" --long-options 2>/dev/null | sed 's/=.*//')" -- "$current")
	elif ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W 'rules disk' -- "$current")
	fi
}
complete -F _provgraph provgraph

# SPDX-License-Identifier: MIT
# bash completion for provgraph(1). The options come from the program itself.
_provgraph() {
	local current=${COMP_WORDS[COMP_CWORD]} previous='' word
	COMPREPLY=()
	((COMP_CWORD > 0)) && previous=${COMP_WORDS[COMP_CWORD - 1]}
	# --log takes several paths: the option in force is the last one that was typed.
	for ((word = COMP_CWORD - 1; word > 0; word--)); do
		[[ ${COMP_WORDS[word]} == --log ]] && previous=--log && break
		[[ ${COMP_WORDS[word]} == -* ]] && break
	done
	case $previous in
	--format)
		mapfile -t COMPREPLY < <(compgen -W 'svg html dot json csv graphml text' -- "$current")
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
	--alert-time | --from | --to)
		mapfile -t COMPREPLY < <(compgen -W 'now today yesterday recent' -- "$current")
		return
		;;
	--tz)
		mapfile -t COMPREPLY < <(cd /usr/share/zoneinfo 2>/dev/null && compgen -f -- "$current")
		return
		;;
	--log | --alert | --baseline | --output | -o | --why)
		if [[ $current != -* ]]; then
			mapfile -t COMPREPLY < <(compgen -f -- "$current")
			compopt -o filenames 2>/dev/null
			return
		fi
		;;
	--alert-ip | --alert-port | --alert-id | --host) return ;;
	esac
	if [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" --long-options 2>/dev/null | sed 's/=.*//')" -- "$current")
	elif ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W rules -- "$current")
	fi
}
complete -F _provgraph provgraph

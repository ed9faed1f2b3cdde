# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for landlockctl(1)
#
# shellcheck disable=SC2207  # none of the words completed holds a space

_landlockctl_domains() {
        # IDs hold no spaces, whatever the names beside them hold.
        landlockctl "$@" list --all --no-legend --no-pager 2>/dev/null | awk '{ print $1 }'
}

_landlockctl() {
        # shellcheck disable=SC2034  # split is for _init_completion
        local cur prev words cword split
        local verbs='status list tree ps show lookup denials monitor replay'
        local -A options=(
                [common]='--help --version --bus= --json= -j --no-pager --no-legend --full'
                [status]='--verbose'
                [list]='--all --state= --limit='
                [tree]=''
                [ps]='--domain='
                [show]='--limit='
                [lookup]='--pidfd= --self'
                [denials]='--domain= --limit= --since= --reverse'
                [monitor]='--type= --domain= --blocker= --snapshot --since= --socket --socket='
                [replay]='--boot-id= --machine-id='
        )
        local verb='' word bus=()

        _init_completion -s || return
        for word in "${words[@]:1:cword-1}"; do
                case $word in
                --bus=*) bus=("$word") ;;
                -*) ;;
                *) [[ -z $verb && " $verbs " == *" $word "* ]] && verb=$word ;;
                esac
        done

        case $prev in
        --json) COMPREPLY=($(compgen -W 'pretty short off' -- "$cur")) ;;
        --bus) COMPREPLY=($(compgen -W 'system session' -- "$cur")) ;;
        --state) COMPREPLY=($(compgen -W 'allocated deallocated any' -- "$cur")) ;;
        --type) COMPREPLY=($(compgen -W 'denial domain lost process ruleset' -- "$cur")) ;;
        --domain) COMPREPLY=($(compgen -W "$(_landlockctl_domains "${bus[@]}")" -- "$cur")) ;;
        --socket) [[ $split == true ]] && _filedir ;;
        --limit | --since | --blocker | --boot-id | --machine-id | --pidfd | -n) ;;
        *)
                if [[ $cur == -* ]]; then
                        COMPREPLY=($(compgen -W "${options[common]} ${options[${verb:-list}]}" -- "$cur"))
                        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
                elif [[ -z $verb ]]; then
                        COMPREPLY=($(compgen -W "$verbs" -- "$cur"))
                elif [[ $verb == show ]]; then
                        COMPREPLY=($(compgen -W "$(_landlockctl_domains "${bus[@]}")" -- "$cur"))
                elif [[ $verb == lookup ]]; then
                        _pids
                elif [[ $verb == replay ]]; then
                        _filedir
                fi
                ;;
        esac
}

complete -F _landlockctl landlockctl

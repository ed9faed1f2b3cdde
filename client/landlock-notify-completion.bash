# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for landlock-notify(1)
#
# shellcheck disable=SC2207  # none of the words completed holds a space

_landlock_notify() {
        # shellcheck disable=SC2034  # split is for _init_completion
        local cur prev words cword split

        _init_completion -s || return
        if [[ $prev == --bus ]]; then
                COMPREPLY=($(compgen -W 'system session' -- "$cur"))
        else
                COMPREPLY=($(compgen -W '--help --version --all --bus=' -- "$cur"))
                [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
        fi
}

complete -F _landlock_notify landlock-notify

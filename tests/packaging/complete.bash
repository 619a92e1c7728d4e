# SPDX-License-Identifier: Apache-2.0
# Usage: complete.bash COMPLETION WORD...
# What bash offers for the last word, a line each: the function that COMPLETION has registered for the first word's
# program is called as bash calls it.
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMP_LINE="$*"
COMP_POINT=${#COMP_LINE}
previous=${COMP_WORDS[COMP_CWORD - 1]}
[[ $(complete -p runlxc) =~ -F\ ([^ ]+) ]] || exit 1
"${BASH_REMATCH[1]}" "$1" "${!#}" "$previous"
printf '%s\n' "${COMPREPLY[@]}"

# To be sourced: a temporary folder, $work. When the script ends, the folder goes, and so does whatever the script has
# started: ranks have process groups of their own, and would outlive a run that had to be ended.
work=$(mktemp -d)
export UINTR_WORKPLACE=$work
clear_workplace() {
  local environment
  for environment in $(grep -lsz "^UINTR_WORKPLACE=$work\$" /proc/[0-9]*/environ); do
    environment=${environment#/proc/}
    [ "${environment%/environ}" = $$ ] || kill -KILL "${environment%/environ}" 2>/dev/null
  done
  rm -rf "$work"
}
trap clear_workplace EXIT

# What a part of a run says, so that no line of it is taken for the run's own result.
indented() { sed 's/^/  /'; }

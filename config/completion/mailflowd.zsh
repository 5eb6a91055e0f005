#compdef mailflowd
# Completion of mailflowd for zsh.
_arguments \
    '--config[read this configuration]:file:_files' \
    '--check-config[say what is wrong with it, and end]' \
    '--probers[where mailflow-submit and its siblings are]:directory:_files -/' \
    '--version[print the version and end]' \
    '--help[print the options and end]'

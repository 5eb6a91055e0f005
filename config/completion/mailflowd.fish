# Completion of mailflowd for fish.
complete -c mailflowd -f
complete -c mailflowd -l config -r -F -d 'read this configuration'
complete -c mailflowd -l check-config -d 'say what is wrong with it, and end'
complete -c mailflowd -l probers -x -a '(__fish_complete_directories)' -d 'where mailflow-submit and its siblings are'
complete -c mailflowd -l version -d 'print the version and end'
complete -c mailflowd -l help -d 'print the options and end'

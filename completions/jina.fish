# fish completion for jina; made by: python -m jina_cli.cli.completions --write
# Put it into ~/.config/fish/completions, or: jina completion fish | source

function __jina_words --description 'The words of the command line that are no options'
    set --local skip ''
    # The long name of this option changed with fish 4; its letters did not.
    for word in (commandline -opc)[2..]
        if test -n "$skip"
            set skip ''
            continue
        end
        switch $word
            case '--output' '--color' '-C' '--directory' '--env-file' '--project'
                set skip yes
            case '-*'
                continue
            case '*'
                echo $word
        end
    end
end

function __jina_at --description 'Whether these are the first words'
    set --local words (__jina_words)
    test (count $words) -ge (count $argv); or return 1
    for place in (seq (count $argv))
        test "$words[$place]" = "$argv[$place]"; or return 1
    end
end

function __jina_starts --description 'Whether these are all the words'
    test (count (__jina_words)) -eq (count $argv); or return 1
    test (count $argv) -eq 0; or __jina_at $argv
end

complete --command jina --no-files
complete -c jina -n '__jina_starts' -a 'hello' -d 'See a search work, on data that is already here.'
complete -c jina -n '__jina_starts' -a 'index' -d 'Index files, rows or lines, so that they can be found.'
complete -c jina -n '__jina_starts' -a 'search' -d 'Find what was indexed.'
complete -c jina -n '__jina_starts' -a 'flow' -d 'Start a Flow from its YAML file and stay with it.'
complete -c jina -n '__jina_starts' -a 'ping' -d 'Ask whether a Flow or an Executor is ready.'
complete -c jina -n '__jina_starts' -a 'validate' -d 'Check YAML files; starts nothing.'
complete -c jina -n '__jina_starts' -a 'config' -d 'Print a Flow with all its defaults filled in.'
complete -c jina -n '__jina_starts' -a 'explain' -d 'Explain a key of the YAML, or an error code.'
complete -c jina -n '__jina_starts' -a 'export' -d 'Write a flowchart or the JSON schema.'
complete -c jina -n '__jina_starts' -a 'completion' -d 'Print the completion script of a shell.'
complete -c jina -n '__jina_starts' -a 'hello-world' -d 'The same as jina hello fashion.'
complete -c jina -l json -d 'Machine-readable output, errors too.'
complete -c jina -l output -x -a 'human concise json github' -d 'How problems are shown.'
complete -c jina -s q -l quiet -d 'Only results and errors.'
complete -c jina -s v -l verbose -d 'More detail; -vv for all of it.'
complete -c jina -l color -x -a 'auto always never' -d 'When to use colour.'
complete -c jina -l no-progress -d 'No progress bar or progress lines.'
complete -c jina -l no-input -d 'Never ask anything.'
complete -c jina -s C -l directory -x -a '(__fish_complete_directories)' -d 'Go there first.'
complete -c jina -l env-file -r -F -d 'Read variables from a file.'
complete -c jina -l project -x -d 'Keep Flows of one name apart.'
complete -c jina -l debug -d 'Show tracebacks.'
complete -c jina -s h -l help -d 'Print help.'
complete -c jina -n '__jina_starts' -l version -d 'Print the version.'
complete -c jina -n '__jina_starts hello' -a 'fashion' -d 'Find clothes that look alike among the images of Fashion-MNIST.'
complete -c jina -n '__jina_at hello fashion' -l full -d 'All 70,000 images, not the bundled 5,000.'
complete -c jina -n '__jina_at hello fashion' -l data -x -a '(__fish_complete_directories)' -d 'Folder of the full data set; implies --full.'
complete -c jina -n '__jina_at hello fashion' -l download -d 'Fetch the full data set if no folder has it.'
complete -c jina -n '__jina_at hello fashion' -l uses -r -F -d 'A Flow of your own in place of fashion.yml.'
complete -c jina -n '__jina_at hello fashion' -l print-flow -d 'Print fashion.yml and end.'
complete -c jina -n '__jina_at hello fashion' -l workspace -x -a '(__fish_complete_directories)' -d 'Keep the index there; else it is thrown away.'
complete -c jina -n '__jina_at hello fashion' -l port -x -d 'Where HTTP is served; 0 is any free port.'
complete -c jina -n '__jina_at hello fashion' -l report -r -F -d 'Where the result page is written.'
complete -c jina -n '__jina_at hello fashion' -l no-browser -d 'Do not open the result page.'
complete -c jina -n '__jina_at hello fashion' -l once -d 'End when done; so it is where stdout is no terminal.'
complete -c jina -n '__jina_at index' -l uses -r -F -d 'YAML of the Flow; left out, a text search.'
complete -c jina -n '__jina_at index' -l host -x -d 'A Flow that runs already.'
complete -c jina -n '__jina_at index' -l workspace -x -a '(__fish_complete_directories)' -d 'Where the index is kept; .jina if left out.'
complete -c jina -n '__jina_at index' -l format -x -a 'auto jsonl json csv lines text npy' -d 'What the inputs are.'
complete -c jina -n '__jina_at index' -l field-map -x -d 'Take field A as B: title=text,docno=id.'
complete -c jina -n '__jina_at index' -l batch -x -d 'Documents in a request.'
complete -c jina -n '__jina_at index' -l concurrency -x -d 'Requests at a time.'
complete -c jina -n '__jina_at index' -l on-error -x -a 'skip stop' -d 'What to do at the first bad row that is too many.'
complete -c jina -n '__jina_at index' -l errors-to -r -F -d 'Keep bad rows there, as JSON Lines.'
complete -c jina -n '__jina_at index' -l max-errors -x -d 'Bad rows that are tolerated.'
complete -c jina -n '__jina_at index' -l allow-empty -d 'No input is no failure.'
complete -c jina -n '__jina_at index' -l timeout -x -d 'For each request, `90s` or `2m`.'
complete -c jina -n '__jina_at index' -l param -x -d 'A parameter for Executors.'
complete -c jina -n '__jina_at index' --force-files
complete -c jina -n '__jina_at search' -l uses -r -F -d 'YAML of the Flow; left out, a text search.'
complete -c jina -n '__jina_at search' -l host -x -d 'A Flow that runs already.'
complete -c jina -n '__jina_at search' -l workspace -x -a '(__fish_complete_directories)' -d 'Where the index is kept; .jina if left out.'
complete -c jina -n '__jina_at search' -s k -l top-k -x -d 'Matches of a query.'
complete -c jina -n '__jina_at search' -l format -x -a 'table json jsonl trec' -d 'table, or with --json jsonl, if left out.'
complete -c jina -n '__jina_at search' -l batch -x -d 'Queries in a request.'
complete -c jina -n '__jina_at search' -l concurrency -x -d 'Requests at a time.'
complete -c jina -n '__jina_at search' -l allow-empty -d 'No query is no failure.'
complete -c jina -n '__jina_at search' -l timeout -x -d 'For each request, `90s` or `2m`.'
complete -c jina -n '__jina_at search' -l param -x -d 'A parameter for Executors.'
complete -c jina -n '__jina_at flow' -l uses -r -F -d 'The Flow\'s YAML file.'
complete -c jina -n '__jina_at flow' -s f -l override -r -F -d 'YAML laid over it; may be repeated.'
complete -c jina -n '__jina_at flow' -l workspace -x -a '(__fish_complete_directories)' -d 'Where Executors keep what they know, if the YAML names no place.'
complete -c jina -n '__jina_at flow' -l port -x -d 'Of the Gateway, over the YAML; 0 takes any.'
complete -c jina -n '__jina_at flow' -l protocol -x -a 'grpc http websocket native' -d 'Of the Gateway, over the YAML; repeat it for more than one.'
complete -c jina -n '__jina_at flow' -l env -x -d 'Variable for the YAML and all processes.'
complete -c jina -n '__jina_at flow' -l lenient -d 'Unknown keys are warnings.'
complete -c jina -n '__jina_at flow' -l dry-run -d 'Print what would run, and start nothing.'
complete -c jina -n '__jina_at flow' -l timeout-ready -l wait-timeout -x -d 'Give up if not all is ready by then; else each Pod\'s own timeout_ready holds.'
complete -c jina -n '__jina_at flow' -l exit-on -x -a 'none failure first all' -d 'When to end unasked: never, when a Pod has failed for good, when a process ended even if it would be restarted, or when all Pods have failed.'
complete -c jina -n '__jina_at flow' -l keep-going -d 'The same as --exit-on none.'
complete -c jina -n '__jina_at flow' -l exit-code-from -x -d 'Exit with the exit code of this Pod.'
complete -c jina -n '__jina_at flow' -l grace -x -d 'From the first signal to the end of all.'
complete -c jina -n '__jina_at flow' -l ready-fd -x -d 'Write a line of JSON to this descriptor when ready.'
complete -c jina -n '__jina_at flow' -l log-format -x -a 'text json' -d 'How log lines are written to stdout.'
complete -c jina -n '__jina_at flow' -l log-dir -x -a '(__fish_complete_directories)' -d 'Where the log file of each process goes.'
complete -c jina -n '__jina_at flow' -l no-log-prefix -d 'Log lines without the name in front.'
complete -c jina -n '__jina_at flow' -l attach -x -d 'Show the logs of this Pod only; may be repeated.'
complete -c jina -n '__jina_at flow' -l no-attach -x -d 'Do not show the logs of this Pod; may be repeated.'
complete -c jina -n '__jina_at flow' --force-files
complete -c jina -n '__jina_at ping' -l timeout -x -d 'Milliseconds for each attempt; -1 for ever.'
complete -c jina -n '__jina_at ping' -l attempts -x -d 'How often each is asked.'
complete -c jina -n '__jina_at ping' -l min-successful-attempts -x -d 'How many of them must succeed.'
complete -c jina -n '__jina_at ping' -l wait -d 'Wait until all are ready.'
complete -c jina -n '__jina_at ping' -l wait-timeout -x -d 'How long to wait, `90`, `90s` or `2m`.'
complete -c jina -n '__jina_starts ping' -a 'flow'
complete -c jina -n '__jina_starts ping' -a 'executor'
complete -c jina -n '__jina_starts ping' -a 'gateway'
complete -c jina -n '__jina_at validate' -l lenient -d 'Unknown keys are warnings.'
complete -c jina -n '__jina_at validate' --force-files
complete -c jina -n '__jina_at config' -l uses -r -F -d 'YAML of the Flow.'
complete -c jina -n '__jina_at config' -s f -l override -r -F -d 'YAML laid over it; repeatable.'
complete -c jina -n '__jina_at config' -l format -x -a 'yaml json' -d 'How it is written.'
complete -c jina -n '__jina_at config' -l lenient -d 'Unknown keys are warnings.'
complete -c jina -n '__jina_starts export' -a 'schema' -d 'Write the JSON schema of a Flow\'s YAML, in one document.'
complete -c jina -n '__jina_at export schema' -s o -l out -r -F -d 'Where to; `-` is stdout.'
complete -c jina -n '__jina_at export schema' -l schema-path -r -F -d 'Where to, as in Jina; repeatable.'
complete -c jina -n '__jina_at export schema' -l draft -x -a '2020-12 7' -d 'Of JSON Schema; editors want 7.'
complete -c jina -n '__jina_at export schema' -l kind -x -a 'flow pod gateway executor driver' -d 'Of what.'
complete -c jina -n '__jina_starts export' -a 'flowchart' -d 'Draw a Flow, without network: as mermaid text, or as SVG if the file ends in .svg.'
complete -c jina -n '__jina_at export flowchart' -s o -l out -r -F -d 'Where to; `-` is stdout.'
complete -c jina -n '__jina_at export flowchart' -l vertical-layout -d 'From top to bottom.'
complete -c jina -n '__jina_at export flowchart' --force-files
complete -c jina -n '__jina_starts completion' -a 'bash'
complete -c jina -n '__jina_starts completion' -a 'zsh'
complete -c jina -n '__jina_starts completion' -a 'fish'
complete -c jina -n '__jina_starts completion' -a 'powershell'
complete -c jina -n '__jina_at hello-world' -l full -d 'All 70,000 images, not the bundled 5,000.'
complete -c jina -n '__jina_at hello-world' -l data -x -a '(__fish_complete_directories)' -d 'Folder of the full data set; implies --full.'
complete -c jina -n '__jina_at hello-world' -l download -d 'Fetch the full data set if no folder has it.'
complete -c jina -n '__jina_at hello-world' -l uses -r -F -d 'A Flow of your own in place of fashion.yml.'
complete -c jina -n '__jina_at hello-world' -l print-flow -d 'Print fashion.yml and end.'
complete -c jina -n '__jina_at hello-world' -l workspace -x -a '(__fish_complete_directories)' -d 'Keep the index there; else it is thrown away.'
complete -c jina -n '__jina_at hello-world' -l port -x -d 'Where HTTP is served; 0 is any free port.'
complete -c jina -n '__jina_at hello-world' -l report -r -F -d 'Where the result page is written.'
complete -c jina -n '__jina_at hello-world' -l no-browser -d 'Do not open the result page.'
complete -c jina -n '__jina_at hello-world' -l once -d 'End when done; so it is where stdout is no terminal.'

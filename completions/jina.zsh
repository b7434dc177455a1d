#compdef jina
# zsh completion for jina; made by: python -m jina_cli.cli.completions --write
# Put it as _jina into a folder of $fpath, or: source <(jina completion zsh)

_jina() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  local -a shared=(
    '*--json[Machine-readable output, errors too.]'
    '*--output=[How problems are shown.]: :(human concise json github)'
    '*-q[Only results and errors.]'
    '*--quiet[Only results and errors.]'
    '*-v[More detail; -vv for all of it.]'
    '*--verbose[More detail; -vv for all of it.]'
    '*--color=[When to use colour.]: :(auto always never)'
    '*--no-progress[No progress bar or progress lines.]'
    '*--no-input[Never ask anything.]'
    '*-C+[Go there first.]: :_files -/'
    '*--directory=[Go there first.]: :_files -/'
    '*--env-file=[Read variables from a file.]: :_files'
    '*--project=[Keep Flows of one name apart.]: : '
    '*--debug[Show tracebacks.]'
    '*-h[Print help.]'
    '*--help[Print help.]'
  )
  _arguments -C -s $shared \
    '*--version[Print the version.]' \
    '1: :->verb' '*:: :->rest' && return 0
  case $state in
    verb)
      local -a rows=(
        'hello:See a search work, on data that is already here.'
        'index:Index files, rows or lines, so that they can be found.'
        'search:Find what was indexed.'
        'get:Print documents of an index by their ids.'
        'count:Say how many documents are indexed.'
        'delete:Take documents out of an index.'
        'dump:Write all that is indexed to a file.'
        'load:Index what dump wrote; nothing is encoded again.'
        'eval:Say how good a search is, given judgements.'
        'train:Let the Executors of a Flow learn from documents.'
        'post:Send documents to any endpoint of a Flow.'
        'flow:Start a Flow from its YAML file and stay with it.'
        'executor:Serve one Executor alone.'
        'deployment:Serve what a Deployment'\''s YAML describes.'
        'gateway:Serve a Gateway before Executors elsewhere.'
        'ping:Ask whether a Flow or an Executor is ready.'
        'validate:Check YAML files; starts nothing.'
        'config:Print a Flow with all its defaults filled in.'
        'explain:Explain a key of the YAML, a code, or a topic.'
        'export:Write a flowchart, schemas, .proto files.'
        'completion:Print the completion script of a shell.'
        'hello-world:The same as jina hello fashion.'
      )
      _describe command rows
      ;;
    rest)
      case $words[1] in
        index)
          _arguments -s \
            '*--uses=[YAML of the Flow or name of a ready-made one; left out, a text search.]: :_files' \
            '*--host=[A Flow that runs already.]: : ' \
            '*--workspace=[Where the index is kept; .jina if left out.]: :_files -/' \
            '*--format=[What the inputs are.]: :(auto jsonl json csv lines text npy parquet)' \
            '*--field-map=[Take field A as B\: title=text,docno=id.]: : ' \
            '*--batch=[Documents in a request.]: : ' \
            '*--concurrency=[Requests at a time.]: : ' \
            '*--on-error=[What to do at the first bad row that is too many.]: :(skip stop)' \
            '*--errors-to=[Keep bad rows there, as JSON Lines.]: :_files' \
            '*--max-errors=[Bad rows that are tolerated.]: : ' \
            '*--allow-empty[No input is no failure.]' \
            '*--timeout=[For each request, `90s` or `2m`.]: : ' \
            '*--param=[A parameter for Executors.]: : ' \
            '*--lenient[Unknown keys are warnings.]' \
            $shared \
            '*: :_files'
          ;;
        search)
          _arguments -s \
            '*--uses=[YAML of the Flow or name of a ready-made one; left out, a text search.]: :_files' \
            '*--host=[A Flow that runs already.]: : ' \
            '*--workspace=[Where the index is kept; .jina if left out.]: :_files -/' \
            '*-k+[Matches of a query.]: : ' \
            '*--top-k=[Matches of a query.]: : ' \
            '*--where=[Only documents of which this holds\: "price < 10 and lang in ('\''en'\'', '\''fr'\'')".]: : ' \
            '*--mode=[By words, by vectors, by both; auto takes what the index and query have.]: :(auto hybrid lexical vector)' \
            '*--hybrid[The same as --mode hybrid.]' \
            '*--rrf-k=[Constant of the fusion of ranks; 60 if left out.]: : ' \
            '*--rerank=[Put the first N into a better order, at more cost.]: : ' \
            '*--fields=[Fields to return, besides id and score; all if left out.]: : ' \
            '*--explain[Show the ranks by words and by vectors, and the best chunk.]' \
            '*--format=[table, or with --json jsonl, if left out.]: :(table json jsonl trec)' \
            '*--batch=[Queries in a request.]: : ' \
            '*--concurrency=[Requests at a time.]: : ' \
            '*--allow-empty[No query is no failure.]' \
            '*--timeout=[For each request, `90s` or `2m`.]: : ' \
            '*--param=[A parameter for Executors.]: : ' \
            '*--lenient[Unknown keys are warnings.]' \
            $shared \
            '*: :_files'
          ;;
        get)
          _arguments -s \
            '*--uses=[YAML of the Flow or name of a ready-made one; left out, a text search.]: :_files' \
            '*--host=[A Flow that runs already.]: : ' \
            '*--workspace=[Where the index is kept; .jina if left out.]: :_files -/' \
            '*--fields=[Fields to return, besides id and score; all if left out.]: : ' \
            '*--vectors[Print tensors and embeddings, too.]' \
            '*--target-executor=[Only Pods of such names.]: : ' \
            '*--timeout=[For each request, `90s` or `2m`.]: : ' \
            '*--lenient[Unknown keys are warnings.]' \
            $shared \
            '*: :_files'
          ;;
        count)
          _arguments -s \
            '*--uses=[YAML of the Flow or name of a ready-made one; left out, a text search.]: :_files' \
            '*--host=[A Flow that runs already.]: : ' \
            '*--workspace=[Where the index is kept; .jina if left out.]: :_files -/' \
            '*--where=[Only documents of which this holds\: "price < 10 and lang in ('\''en'\'', '\''fr'\'')".]: : ' \
            '*--target-executor=[Only Pods of such names.]: : ' \
            '*--timeout=[For each request, `90s` or `2m`.]: : ' \
            '*--lenient[Unknown keys are warnings.]' \
            $shared
          ;;
        delete)
          _arguments -s \
            '*--uses=[YAML of the Flow or name of a ready-made one; left out, a text search.]: :_files' \
            '*--host=[A Flow that runs already.]: : ' \
            '*--workspace=[Where the index is kept; .jina if left out.]: :_files -/' \
            '*--where=[Only documents of which this holds\: "price < 10 and lang in ('\''en'\'', '\''fr'\'')".]: : ' \
            '*--yes[Do not ask before --where.]' \
            '*-y[Do not ask before --where.]' \
            '*--dry-run[Only say how many documents it would be.]' \
            '*--timeout=[For each request, `90s` or `2m`.]: : ' \
            '*--lenient[Unknown keys are warnings.]' \
            $shared \
            '*: :_files'
          ;;
        dump)
          _arguments -s \
            '*-o+[Where to; `-` is stdout.]: :_files' \
            '*--out=[Where to; `-` is stdout.]: :_files' \
            '*--uses=[YAML of the Flow or name of a ready-made one; left out, a text search.]: :_files' \
            '*--host=[A Flow that runs already.]: : ' \
            '*--workspace=[Where the index is kept; .jina if left out.]: :_files -/' \
            '*--format=[Of the files; auto takes what their names tell, else jsonl.]: :(auto jsonl parquet)' \
            '*--vectors[Whether with vectors.]' \
            '*--no-vectors[Whether with vectors.]' \
            '*--where=[Only documents of which this holds\: "price < 10 and lang in ('\''en'\'', '\''fr'\'')".]: : ' \
            '*--target-executor=[Only Pods of such names.]: : ' \
            '*--allow-empty[No document is no failure.]' \
            '*--timeout=[For each request, `90s` or `2m`.]: : ' \
            '*--lenient[Unknown keys are warnings.]' \
            $shared
          ;;
        load)
          _arguments -s \
            '*--uses=[YAML of the Flow or name of a ready-made one; left out, a text search.]: :_files' \
            '*--host=[A Flow that runs already.]: : ' \
            '*--workspace=[Where the index is kept; .jina if left out.]: :_files -/' \
            '*--format=[Of the files; auto takes what their names tell, else jsonl.]: :(auto jsonl parquet)' \
            '*--batch=[Documents in a request.]: : ' \
            '*--concurrency=[Requests at a time.]: : ' \
            '*--errors-to=[Keep bad rows there, as JSON Lines.]: :_files' \
            '*--max-errors=[Bad rows that are tolerated.]: : ' \
            '*--allow-empty[No document is no failure.]' \
            '*--timeout=[For each request, `90s` or `2m`.]: : ' \
            '*--param=[A parameter for Executors.]: : ' \
            '*--lenient[Unknown keys are warnings.]' \
            $shared \
            '*: :_files'
          ;;
        eval)
          _arguments -s \
            '*--qrels=[Judgements\: query 0 document grade, a line each.]: :_files' \
            '*--run=[What was found\: lines of TREC, or of search --json; - for stdin.]: :_files' \
            '*--queries=[Queries to ask a Flow, with their ids; - for stdin.]: :_files' \
            '*--uses=[YAML of the Flow or name of a ready-made one; left out, a text search.]: :_files' \
            '*--host=[A Flow that runs already.]: : ' \
            '*--workspace=[Where the index is kept; .jina if left out.]: :_files -/' \
            '*--metrics=[ndcg, recall, map, mrr, p, f1, with @K or of all.]: : ' \
            '*--fail-under=[Exit with 1 if it is less; repeatable.]: : ' \
            '*--per-query[A line for each query.]' \
            '*--skip-missing[Queries that found nothing do not count as 0.]' \
            '*-k+[Matches asked for; what metrics need.]: : ' \
            '*--top-k=[Matches asked for; what metrics need.]: : ' \
            '*--where=[Only documents of which this holds\: "price < 10 and lang in ('\''en'\'', '\''fr'\'')".]: : ' \
            '*--mode=[By words, by vectors, by both; auto takes what the index and query have.]: :(auto hybrid lexical vector)' \
            '*--rrf-k=[Constant of the fusion of ranks; 60 if left out.]: : ' \
            '*--rerank=[Put the first N into a better order, at more cost.]: : ' \
            '*--batch=[Queries in a request.]: : ' \
            '*--concurrency=[Requests at a time.]: : ' \
            '*--timeout=[For each request, `90s` or `2m`.]: : ' \
            '*--param=[A parameter for Executors.]: : ' \
            '*--lenient[Unknown keys are warnings.]' \
            $shared
          ;;
        train)
          _arguments -s \
            '*--uses=[YAML of the Flow or name of a ready-made one; left out, a text search.]: :_files' \
            '*--host=[A Flow that runs already.]: : ' \
            '*--workspace=[Where the index is kept; .jina if left out.]: :_files -/' \
            '*--format=[What the inputs are.]: :(auto jsonl json csv lines text npy parquet)' \
            '*--field-map=[Take field A as B\: title=text,docno=id.]: : ' \
            '*--batch=[Documents that are learnt from at a time.]: : ' \
            '*--timeout=[For each request, `90s` or `2m`.]: : ' \
            '*--param=[A parameter for Executors.]: : ' \
            '*--lenient[Unknown keys are warnings.]' \
            $shared \
            '*: :_files'
          ;;
        post)
          _arguments -s \
            '*--text=[A document with this text; may be repeated.]: : ' \
            '*--uses=[YAML of the Flow or name of a ready-made one; left out, a text search.]: :_files' \
            '*--host=[A Flow that runs already.]: : ' \
            '*--workspace=[Where the index is kept; .jina if left out.]: :_files -/' \
            '*--stream[Send one document at a time, print what it yields as it comes.]' \
            '*--format=[What the inputs are.]: :(auto jsonl json csv lines text npy parquet)' \
            '*--field-map=[Take field A as B\: title=text,docno=id.]: : ' \
            '*--batch=[Documents in a request.]: : ' \
            '*--concurrency=[Requests at a time.]: : ' \
            '*--timeout=[For each request, `90s` or `2m`.]: : ' \
            '*--param=[A parameter for Executors.]: : ' \
            '*--target-executor=[Only for Pods of such names.]: : ' \
            '*--lenient[Unknown keys are warnings.]' \
            $shared \
            '*: :_files'
          ;;
        flow)
          _arguments -s \
            '*--uses=[The Flow'\''s YAML file.]: :_files' \
            '*-f+[YAML laid over it; may be repeated.]: :_files' \
            '*--override=[YAML laid over it; may be repeated.]: :_files' \
            '*--workspace=[Where Executors keep what they know, if the YAML names no place.]: :_files -/' \
            '*--port=[Of the Gateway, over the YAML; 0 takes any.]: : ' \
            '*--protocol=[Of the Gateway, over the YAML; repeat it for more than one.]: :(grpc http websocket native)' \
            '*--env=[Variable for the YAML and all processes.]: : ' \
            '*--lenient[Unknown keys are warnings.]' \
            '*--allow-install[Let pip install what Executors ask for (install_requirements).]' \
            '*--dry-run[Print what would run, and start nothing.]' \
            '*--timeout-ready=[Give up if not all is ready by then; else each Pod'\''s own timeout_ready holds.]: : ' \
            '*--wait-timeout=[Give up if not all is ready by then; else each Pod'\''s own timeout_ready holds.]: : ' \
            '*--exit-on=[When to end unasked\: never, when a Pod has failed for good, when a process ended even if it would be restarted, or when all Pods have failed.]: :(none failure first all)' \
            '*--keep-going[The same as --exit-on none.]' \
            '*--exit-code-from=[Exit with the exit code of this Pod.]: : ' \
            '*--grace=[From the first signal to the end of all.]: : ' \
            '*--ready-fd=[Write a line of JSON to this descriptor when ready.]: : ' \
            '*--log-format=[How log lines are written to stdout.]: :(text json)' \
            '*--log-dir=[Where the log file of each process goes.]: :_files -/' \
            '*--no-log-prefix[Log lines without the name in front.]' \
            '*--attach=[Show the logs of this Pod only; may be repeated.]: : ' \
            '*--no-attach=[Do not show the logs of this Pod; may be repeated.]: : ' \
            '*--list[Print the ready-made Flows and what they are for.]' \
            $shared \
            '*: :_files'
          ;;
        executor)
          _arguments -s \
            '*--uses=[file.py\:Class, module\:Class, the name of a built-in one, or the YAML of an Executor or a Deployment.]: : ' \
            '*--name=[Of the Pod.]: : ' \
            '*--port=[Of the Gateway, over the YAML; 0 takes any.]: : ' \
            '*--protocol=[Of the Gateway, over the YAML; repeat it for more than one.]: :(grpc http websocket native)' \
            '*--host=[Address that is listened on.]: : ' \
            '*--workspace=[Where Executors keep what they know, if the YAML names no place.]: :_files -/' \
            '*--replicas=[Processes that share the work.]: : ' \
            '*--shards=[Parts that the data is split into.]: : ' \
            '*--uses-with=[Argument of the Executor; may be repeated.]: : ' \
            '*--uses-metas=[One of its metas; may be repeated.]: : ' \
            '*--uses-requests=[Which method answers; may be repeated.]: : ' \
            '*--py-modules=[Python that is imported before; may be repeated.]: :_files' \
            '*--env=[Variable for the YAML and all processes.]: : ' \
            '*--lenient[Unknown keys are warnings.]' \
            '*--allow-install[Let pip install what Executors ask for (install_requirements).]' \
            '*--dry-run[Print what would run, and start nothing.]' \
            '*--timeout-ready=[Give up if not all is ready by then; else each Pod'\''s own timeout_ready holds.]: : ' \
            '*--wait-timeout=[Give up if not all is ready by then; else each Pod'\''s own timeout_ready holds.]: : ' \
            '*--exit-on=[When to end unasked\: never, when a Pod has failed for good, when a process ended even if it would be restarted, or when all Pods have failed.]: :(none failure first all)' \
            '*--grace=[From the first signal to the end of all.]: : ' \
            '*--ready-fd=[Write a line of JSON to this descriptor when ready.]: : ' \
            '*--log-format=[How log lines are written to stdout.]: :(text json)' \
            '*--log-dir=[Where the log file of each process goes.]: :_files -/' \
            '*--no-log-prefix[Log lines without the name in front.]' \
            $shared
          ;;
        deployment)
          _arguments -s \
            '*--uses=[file.py\:Class, module\:Class, the name of a built-in one, or the YAML of an Executor or a Deployment.]: : ' \
            '*--name=[Of the Pod.]: : ' \
            '*--port=[Of the Gateway, over the YAML; 0 takes any.]: : ' \
            '*--protocol=[Of the Gateway, over the YAML; repeat it for more than one.]: :(grpc http websocket native)' \
            '*--host=[Address that is listened on.]: : ' \
            '*--workspace=[Where Executors keep what they know, if the YAML names no place.]: :_files -/' \
            '*--replicas=[Processes that share the work.]: : ' \
            '*--shards=[Parts that the data is split into.]: : ' \
            '*--uses-with=[Argument of the Executor; may be repeated.]: : ' \
            '*--uses-metas=[One of its metas; may be repeated.]: : ' \
            '*--uses-requests=[Which method answers; may be repeated.]: : ' \
            '*--py-modules=[Python that is imported before; may be repeated.]: :_files' \
            '*--env=[Variable for the YAML and all processes.]: : ' \
            '*--lenient[Unknown keys are warnings.]' \
            '*--allow-install[Let pip install what Executors ask for (install_requirements).]' \
            '*--dry-run[Print what would run, and start nothing.]' \
            '*--timeout-ready=[Give up if not all is ready by then; else each Pod'\''s own timeout_ready holds.]: : ' \
            '*--wait-timeout=[Give up if not all is ready by then; else each Pod'\''s own timeout_ready holds.]: : ' \
            '*--exit-on=[When to end unasked\: never, when a Pod has failed for good, when a process ended even if it would be restarted, or when all Pods have failed.]: :(none failure first all)' \
            '*--grace=[From the first signal to the end of all.]: : ' \
            '*--ready-fd=[Write a line of JSON to this descriptor when ready.]: : ' \
            '*--log-format=[How log lines are written to stdout.]: :(text json)' \
            '*--log-dir=[Where the log file of each process goes.]: :_files -/' \
            '*--no-log-prefix[Log lines without the name in front.]' \
            $shared
          ;;
        gateway)
          _arguments -s \
            '*--graph-description=[Pod → Pods that take its answer; from start-gateway to end-gateway. Left out, one after the other.]: : ' \
            '*--deployments-addresses=[Pod → addresses\: {"a"\: ("grpc\://host\:8080")}.]: : ' \
            '*--graph-conditions=[Pod → condition on documents that it gets.]: : ' \
            '*--deployments-metadata=[Pod → gRPC metadata that is sent with each call.]: : ' \
            '*--deployments-no-reduce=[Pods that get answers apart, unmerged.]: : ' \
            '*--port=[Of the Gateway, over the YAML; 0 takes any.]: : ' \
            '*--protocol=[Of the Gateway, over the YAML; repeat it for more than one.]: :(grpc http websocket native)' \
            '*--host=[Address that is listened on.]: : ' \
            '*--name=[Of the Flow.]: : ' \
            '*--title=[Of the HTTP API.]: : ' \
            '*--description=[Of the HTTP API.]: : ' \
            '*--cors[Any origin may call by HTTP.]' \
            '*--prefetch=[Requests of one stream at a time.]: : ' \
            '*--timeout-send=[For each call to an Executor.]: : ' \
            '*--retries=[Tries on another address.]: : ' \
            '*--ssl-certfile=[PEM certificate.]: :_files' \
            '*--ssl-keyfile=[PEM key.]: :_files' \
            '*--expose-endpoints=[Endpoint → its own HTTP path and method.]: : ' \
            '*--env=[Variable for the YAML and all processes.]: : ' \
            '*--dry-run[Print what would run, and start nothing.]' \
            '*--grace=[From the first signal to the end of all.]: : ' \
            '*--ready-fd=[Write a line of JSON to this descriptor when ready.]: : ' \
            '*--log-format=[How log lines are written to stdout.]: :(text json)' \
            '*--log-dir=[Where the log file of each process goes.]: :_files -/' \
            '*--no-log-prefix[Log lines without the name in front.]' \
            $shared
          ;;
        ping)
          _arguments -s \
            '*--timeout=[Milliseconds for each attempt; -1 for ever.]: : ' \
            '*--attempts=[How often each is asked.]: : ' \
            '*--min-successful-attempts=[How many of them must succeed.]: : ' \
            '*--wait[Wait until all are ready.]' \
            '*--wait-timeout=[How long to wait, `90`, `90s` or `2m`.]: : ' \
            '*--pid=[With --wait\: give up when this process, the Flow'\''s, has ended.]: : ' \
            $shared \
            '1: :(flow executor gateway)' \
            '*: :_files'
          ;;
        validate)
          _arguments -s \
            '*--lenient[Unknown keys are warnings.]' \
            $shared \
            '*: :_files'
          ;;
        config)
          _arguments -s \
            '*--uses=[YAML of the Flow or name of a ready-made one.]: :_files' \
            '*-f+[YAML laid over it; repeatable.]: :_files' \
            '*--override=[YAML laid over it; repeatable.]: :_files' \
            '*--format=[How it is written.]: :(yaml json)' \
            '*--lenient[Unknown keys are warnings.]' \
            $shared
          ;;
        explain)
          _arguments -s \
            $shared \
            '*: :_files'
          ;;
        completion)
          _arguments -s \
            $shared \
            '1: :(bash zsh fish powershell)' \
            '*: :_files'
          ;;
        hello-world)
          _arguments -s \
            '*--full[All 70,000 images, not the bundled 5,000.]' \
            '*--data=[Folder of the full data set; implies --full.]: :_files -/' \
            '*--download[Fetch the full data set if no folder has it.]' \
            '*--uses=[A Flow of your own in place of the bundled one.]: :_files' \
            '*--print-flow[Print the YAML of the Flow and end.]' \
            '*--workspace=[Keep the index there; else it is thrown away.]: :_files -/' \
            '*--port=[Where HTTP is served; 0 is any free port.]: : ' \
            '*--report=[Where the result page is written.]: :_files' \
            '*--no-browser[Do not open the result page.]' \
            '*--once[End when done; so it is where stdout is no terminal.]' \
            $shared
          ;;
        hello)
          _arguments -C -s $shared \
            '1: :->second' '*:: :->third' && return 0
          case $state in
            second)
              local -a rows=(
                'fashion:Find clothes that look alike among the images of Fashion-MNIST.'
              )
              _describe command rows
              ;;
            third)
              case $words[1] in
                fashion)
                  _arguments -s \
                    '*--full[All 70,000 images, not the bundled 5,000.]' \
                    '*--data=[Folder of the full data set; implies --full.]: :_files -/' \
                    '*--download[Fetch the full data set if no folder has it.]' \
                    '*--uses=[A Flow of your own in place of the bundled one.]: :_files' \
                    '*--print-flow[Print the YAML of the Flow and end.]' \
                    '*--workspace=[Keep the index there; else it is thrown away.]: :_files -/' \
                    '*--port=[Where HTTP is served; 0 is any free port.]: : ' \
                    '*--report=[Where the result page is written.]: :_files' \
                    '*--no-browser[Do not open the result page.]' \
                    '*--once[End when done; so it is where stdout is no terminal.]' \
                    $shared
                  ;;
              esac
              ;;
          esac
          ;;
        export)
          _arguments -C -s $shared \
            '1: :->second' '*:: :->third' && return 0
          case $state in
            second)
              local -a rows=(
                'schema:Write the JSON schema of a Flow'\''s YAML, in one document.'
                'flowchart:Draw a Flow, without network: as mermaid text, or as SVG if the file ends in .svg.'
                'proto:Write the .proto files that gRPC clients in other languages are made of.'
                'openapi:Write the OpenAPI description of a Flow'\''s HTTP API, with the schemas of its Executors.'
              )
              _describe command rows
              ;;
            third)
              case $words[1] in
                schema)
                  _arguments -s \
                    '*-o+[Where to; `-` is stdout.]: :_files' \
                    '*--out=[Where to; `-` is stdout.]: :_files' \
                    '*--schema-path=[Where to, as in Jina; repeatable.]: :_files' \
                    '*--draft=[Of JSON Schema; editors want 7.]: :(2020-12 7)' \
                    '*--kind=[Of what.]: :(flow pod gateway executor driver)' \
                    $shared
                  ;;
                flowchart)
                  _arguments -s \
                    '*-o+[Where to; `-` is stdout.]: :_files' \
                    '*--out=[Where to; `-` is stdout.]: :_files' \
                    '*--vertical-layout[From top to bottom.]' \
                    '*--lenient[Unknown keys are warnings.]' \
                    $shared \
                    '*: :_files'
                  ;;
                proto)
                  _arguments -s \
                    '*-o+[Where to; `-` is stdout.]: :_files -/' \
                    '*--out=[Where to; `-` is stdout.]: :_files -/' \
                    $shared
                  ;;
                openapi)
                  _arguments -s \
                    '*-o+[Where to; `-` is stdout.]: :_files' \
                    '*--out=[Where to; `-` is stdout.]: :_files' \
                    '*--host=[A Flow that runs, http\://HOST\:PORT, instead.]: : ' \
                    '*--lenient[Unknown keys are warnings.]' \
                    $shared \
                    '*: :_files'
                  ;;
              esac
              ;;
          esac
          ;;
      esac
      ;;
  esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _jina "$@"
else
  compdef _jina jina
fi

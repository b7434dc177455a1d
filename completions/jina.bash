# bash completion for jina; made by: python -m jina_cli.cli.completions --write
# Put it where bash-completion looks, or: source <(jina completion bash)

_jina_reply() {  # reply with those of the words that fit
    local IFS=$' \t\n'
    COMPREPLY=($(compgen -W "$1" -- "$2"))
}

_jina_paths() {  # reply with files, or with folders alone
    local IFS=$'\n'
    COMPREPLY=($(compgen "$1" -- "$2"))
    compopt -o filenames 2>/dev/null
}

_jina() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
    local word command='' group='' skip='' place
    COMPREPLY=()
    # `--flag=value` comes as three words.
    if [[ $current == '=' ]]; then
        current=''
    elif [[ $previous == '=' ]]; then
        previous=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for ((place = 1; place < COMP_CWORD; place++)); do
        word=${COMP_WORDS[place]}
        if [[ -n $skip ]]; then skip=''; continue; fi
        if [[ -n $group ]]; then
            case $word in
                -*) ;;
                *) command="$group $word"; break ;;
            esac
        fi
        case $word in
            --output|--color|-C|--directory|--env-file|--project) skip=yes ;;
            -*|=) ;;
            hello|export) group=$word ;;
            *) command=$word; break ;;
        esac
    done

    if [[ -z $command && -z $group ]]; then
        case $previous in
            --output) _jina_reply 'human concise json github' "$current"; return ;;
            --color) _jina_reply 'auto always never' "$current"; return ;;
            -C|--directory) _jina_paths -d "$current"; return ;;
            --env-file) _jina_paths -f "$current"; return ;;
            --project) return ;;
        esac
        if [[ $current == -* ]]; then
            _jina_reply '--json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help --version' "$current"
        else
            _jina_reply 'hello index search get count delete dump load eval train post flow executor deployment gateway ping validate config explain export completion hello-world' "$current"
        fi
        return
    fi

    case $command in
        'hello fashion')
            case $previous in
                --data) _jina_paths -d "$current"; return ;;
                --uses) _jina_paths -f "$current"; return ;;
                --workspace) _jina_paths -d "$current"; return ;;
                --port) return ;;
                --report) _jina_paths -f "$current"; return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--full --data --download --uses --print-flow --workspace --port --report --no-browser --once --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            fi
            ;;
        'index')
            case $previous in
                --uses) _jina_paths -f "$current"; return ;;
                --host) return ;;
                --workspace) _jina_paths -d "$current"; return ;;
                --format) _jina_reply 'auto jsonl json csv lines text npy parquet' "$current"; return ;;
                --field-map) return ;;
                --batch) return ;;
                --concurrency) return ;;
                --on-error) _jina_reply 'skip stop' "$current"; return ;;
                --errors-to) _jina_paths -f "$current"; return ;;
                --max-errors) return ;;
                --timeout) return ;;
                --param) return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--uses --host --workspace --format --field-map --batch --concurrency --on-error --errors-to --max-errors --allow-empty --timeout --param --lenient --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            else
                _jina_paths -f "$current"
            fi
            ;;
        'search')
            case $previous in
                --uses) _jina_paths -f "$current"; return ;;
                --host) return ;;
                --workspace) _jina_paths -d "$current"; return ;;
                -k|--top-k) return ;;
                --where) return ;;
                --mode) _jina_reply 'auto hybrid lexical vector' "$current"; return ;;
                --rrf-k) return ;;
                --rerank) return ;;
                --fields) return ;;
                --format) _jina_reply 'table json jsonl trec' "$current"; return ;;
                --batch) return ;;
                --concurrency) return ;;
                --timeout) return ;;
                --param) return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--uses --host --workspace -k --top-k --where --mode --hybrid --rrf-k --rerank --fields --explain --format --batch --concurrency --allow-empty --timeout --param --lenient --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            fi
            ;;
        'get')
            case $previous in
                --uses) _jina_paths -f "$current"; return ;;
                --host) return ;;
                --workspace) _jina_paths -d "$current"; return ;;
                --fields) return ;;
                --target-executor) return ;;
                --timeout) return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--uses --host --workspace --fields --vectors --target-executor --timeout --lenient --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            fi
            ;;
        'count')
            case $previous in
                --uses) _jina_paths -f "$current"; return ;;
                --host) return ;;
                --workspace) _jina_paths -d "$current"; return ;;
                --where) return ;;
                --target-executor) return ;;
                --timeout) return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--uses --host --workspace --where --target-executor --timeout --lenient --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            fi
            ;;
        'delete')
            case $previous in
                --uses) _jina_paths -f "$current"; return ;;
                --host) return ;;
                --workspace) _jina_paths -d "$current"; return ;;
                --where) return ;;
                --timeout) return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--uses --host --workspace --where --yes -y --dry-run --timeout --lenient --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            fi
            ;;
        'dump')
            case $previous in
                -o|--out) _jina_paths -f "$current"; return ;;
                --uses) _jina_paths -f "$current"; return ;;
                --host) return ;;
                --workspace) _jina_paths -d "$current"; return ;;
                --format) _jina_reply 'auto jsonl parquet' "$current"; return ;;
                --where) return ;;
                --target-executor) return ;;
                --timeout) return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '-o --out --uses --host --workspace --format --vectors --no-vectors --where --target-executor --allow-empty --timeout --lenient --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            fi
            ;;
        'load')
            case $previous in
                --uses) _jina_paths -f "$current"; return ;;
                --host) return ;;
                --workspace) _jina_paths -d "$current"; return ;;
                --format) _jina_reply 'auto jsonl parquet' "$current"; return ;;
                --batch) return ;;
                --concurrency) return ;;
                --errors-to) _jina_paths -f "$current"; return ;;
                --max-errors) return ;;
                --timeout) return ;;
                --param) return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--uses --host --workspace --format --batch --concurrency --errors-to --max-errors --allow-empty --timeout --param --lenient --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            else
                _jina_paths -f "$current"
            fi
            ;;
        'eval')
            case $previous in
                --qrels) _jina_paths -f "$current"; return ;;
                --run) _jina_paths -f "$current"; return ;;
                --queries) _jina_paths -f "$current"; return ;;
                --uses) _jina_paths -f "$current"; return ;;
                --host) return ;;
                --workspace) _jina_paths -d "$current"; return ;;
                --metrics) return ;;
                --fail-under) return ;;
                -k|--top-k) return ;;
                --where) return ;;
                --mode) _jina_reply 'auto hybrid lexical vector' "$current"; return ;;
                --rrf-k) return ;;
                --rerank) return ;;
                --batch) return ;;
                --concurrency) return ;;
                --timeout) return ;;
                --param) return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--qrels --run --queries --uses --host --workspace --metrics --fail-under --per-query --skip-missing -k --top-k --where --mode --rrf-k --rerank --batch --concurrency --timeout --param --lenient --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            fi
            ;;
        'train')
            case $previous in
                --uses) _jina_paths -f "$current"; return ;;
                --host) return ;;
                --workspace) _jina_paths -d "$current"; return ;;
                --format) _jina_reply 'auto jsonl json csv lines text npy parquet' "$current"; return ;;
                --field-map) return ;;
                --batch) return ;;
                --timeout) return ;;
                --param) return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--uses --host --workspace --format --field-map --batch --timeout --param --lenient --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            else
                _jina_paths -f "$current"
            fi
            ;;
        'post')
            case $previous in
                --text) return ;;
                --uses) _jina_paths -f "$current"; return ;;
                --host) return ;;
                --workspace) _jina_paths -d "$current"; return ;;
                --format) _jina_reply 'auto jsonl json csv lines text npy parquet' "$current"; return ;;
                --field-map) return ;;
                --batch) return ;;
                --concurrency) return ;;
                --timeout) return ;;
                --param) return ;;
                --target-executor) return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--text --uses --host --workspace --stream --format --field-map --batch --concurrency --timeout --param --target-executor --lenient --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            fi
            ;;
        'flow')
            case $previous in
                --uses) _jina_paths -f "$current"; return ;;
                -f|--override) _jina_paths -f "$current"; return ;;
                --workspace) _jina_paths -d "$current"; return ;;
                --port) return ;;
                --protocol) _jina_reply 'grpc http websocket native' "$current"; return ;;
                --env) return ;;
                --timeout-ready|--wait-timeout) return ;;
                --exit-on) _jina_reply 'none failure first all' "$current"; return ;;
                --exit-code-from) return ;;
                --grace) return ;;
                --ready-fd) return ;;
                --log-format) _jina_reply 'text json' "$current"; return ;;
                --log-dir) _jina_paths -d "$current"; return ;;
                --attach) return ;;
                --no-attach) return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--uses -f --override --workspace --port --protocol --env --lenient --allow-install --dry-run --timeout-ready --wait-timeout --exit-on --keep-going --exit-code-from --grace --ready-fd --log-format --log-dir --no-log-prefix --attach --no-attach --list --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            else
                _jina_paths -f "$current"
            fi
            ;;
        'executor')
            case $previous in
                --uses) return ;;
                --name) return ;;
                --port) return ;;
                --protocol) _jina_reply 'grpc http websocket native' "$current"; return ;;
                --host) return ;;
                --workspace) _jina_paths -d "$current"; return ;;
                --replicas) return ;;
                --shards) return ;;
                --uses-with) return ;;
                --uses-metas) return ;;
                --uses-requests) return ;;
                --py-modules) _jina_paths -f "$current"; return ;;
                --env) return ;;
                --timeout-ready|--wait-timeout) return ;;
                --exit-on) _jina_reply 'none failure first all' "$current"; return ;;
                --grace) return ;;
                --ready-fd) return ;;
                --log-format) _jina_reply 'text json' "$current"; return ;;
                --log-dir) _jina_paths -d "$current"; return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--uses --name --port --protocol --host --workspace --replicas --shards --uses-with --uses-metas --uses-requests --py-modules --env --lenient --allow-install --dry-run --timeout-ready --wait-timeout --exit-on --grace --ready-fd --log-format --log-dir --no-log-prefix --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            fi
            ;;
        'deployment')
            case $previous in
                --uses) return ;;
                --name) return ;;
                --port) return ;;
                --protocol) _jina_reply 'grpc http websocket native' "$current"; return ;;
                --host) return ;;
                --workspace) _jina_paths -d "$current"; return ;;
                --replicas) return ;;
                --shards) return ;;
                --uses-with) return ;;
                --uses-metas) return ;;
                --uses-requests) return ;;
                --py-modules) _jina_paths -f "$current"; return ;;
                --env) return ;;
                --timeout-ready|--wait-timeout) return ;;
                --exit-on) _jina_reply 'none failure first all' "$current"; return ;;
                --grace) return ;;
                --ready-fd) return ;;
                --log-format) _jina_reply 'text json' "$current"; return ;;
                --log-dir) _jina_paths -d "$current"; return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--uses --name --port --protocol --host --workspace --replicas --shards --uses-with --uses-metas --uses-requests --py-modules --env --lenient --allow-install --dry-run --timeout-ready --wait-timeout --exit-on --grace --ready-fd --log-format --log-dir --no-log-prefix --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            fi
            ;;
        'gateway')
            case $previous in
                --graph-description) return ;;
                --deployments-addresses) return ;;
                --graph-conditions) return ;;
                --deployments-metadata) return ;;
                --deployments-no-reduce) return ;;
                --port) return ;;
                --protocol) _jina_reply 'grpc http websocket native' "$current"; return ;;
                --host) return ;;
                --name) return ;;
                --title) return ;;
                --description) return ;;
                --prefetch) return ;;
                --timeout-send) return ;;
                --retries) return ;;
                --ssl-certfile) _jina_paths -f "$current"; return ;;
                --ssl-keyfile) _jina_paths -f "$current"; return ;;
                --expose-endpoints) return ;;
                --env) return ;;
                --grace) return ;;
                --ready-fd) return ;;
                --log-format) _jina_reply 'text json' "$current"; return ;;
                --log-dir) _jina_paths -d "$current"; return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--graph-description --deployments-addresses --graph-conditions --deployments-metadata --deployments-no-reduce --port --protocol --host --name --title --description --cors --prefetch --timeout-send --retries --ssl-certfile --ssl-keyfile --expose-endpoints --env --dry-run --grace --ready-fd --log-format --log-dir --no-log-prefix --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            fi
            ;;
        'ping')
            case $previous in
                --timeout) return ;;
                --attempts) return ;;
                --min-successful-attempts) return ;;
                --wait-timeout) return ;;
                --pid) return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--timeout --attempts --min-successful-attempts --wait --wait-timeout --pid --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            else
                _jina_reply 'flow executor gateway' "$current"
            fi
            ;;
        'validate')
            case $previous in
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--lenient --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            else
                _jina_paths -f "$current"
            fi
            ;;
        'config')
            case $previous in
                --uses) _jina_paths -f "$current"; return ;;
                -f|--override) _jina_paths -f "$current"; return ;;
                --format) _jina_reply 'yaml json' "$current"; return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--uses -f --override --format --lenient --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            fi
            ;;
        'explain')
            case $previous in
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            fi
            ;;
        'export schema')
            case $previous in
                -o|--out) _jina_paths -f "$current"; return ;;
                --schema-path) _jina_paths -f "$current"; return ;;
                --draft) _jina_reply '2020-12 7' "$current"; return ;;
                --kind) _jina_reply 'flow pod gateway executor driver' "$current"; return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '-o --out --schema-path --draft --kind --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            fi
            ;;
        'export flowchart')
            case $previous in
                -o|--out) _jina_paths -f "$current"; return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '-o --out --vertical-layout --lenient --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            else
                _jina_paths -f "$current"
            fi
            ;;
        'export proto')
            case $previous in
                -o|--out) _jina_paths -d "$current"; return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '-o --out --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            fi
            ;;
        'export openapi')
            case $previous in
                -o|--out) _jina_paths -f "$current"; return ;;
                --host) return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '-o --out --host --lenient --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            else
                _jina_paths -f "$current"
            fi
            ;;
        'completion')
            case $previous in
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            else
                _jina_reply 'bash zsh fish powershell' "$current"
            fi
            ;;
        'hello-world')
            case $previous in
                --data) _jina_paths -d "$current"; return ;;
                --uses) _jina_paths -f "$current"; return ;;
                --workspace) _jina_paths -d "$current"; return ;;
                --port) return ;;
                --report) _jina_paths -f "$current"; return ;;
                --output) _jina_reply 'human concise json github' "$current"; return ;;
                --color) _jina_reply 'auto always never' "$current"; return ;;
                -C|--directory) _jina_paths -d "$current"; return ;;
                --env-file) _jina_paths -f "$current"; return ;;
                --project) return ;;
            esac
            if [[ $current == -* ]]; then
                _jina_reply '--full --data --download --uses --print-flow --workspace --port --report --no-browser --once --json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
            fi
            ;;
        *)
            if [[ $group == hello && -z $command ]]; then
                if [[ $current == -* ]]; then
                    _jina_reply '--json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
                else
                    _jina_reply 'fashion' "$current"
                fi
            fi
            if [[ $group == export && -z $command ]]; then
                if [[ $current == -* ]]; then
                    _jina_reply '--json --output -q --quiet -v --verbose --color --no-progress --no-input -C --directory --env-file --project --debug -h --help' "$current"
                else
                    _jina_reply 'schema flowchart proto openapi' "$current"
                fi
            fi
            ;;
    esac
}

complete -F _jina jina

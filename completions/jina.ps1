# PowerShell completion for jina; made by: python -m jina_cli.cli.completions --write
# Add to $PROFILE: jina completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName jina -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $verbs = @{
        'hello' = 'See a search work, on data that is already here.'
        'index' = 'Index files, rows or lines, so that they can be found.'
        'search' = 'Find what was indexed.'
        'get' = 'Print documents of an index by their ids.'
        'count' = 'Say how many documents are indexed.'
        'delete' = 'Take documents out of an index.'
        'dump' = 'Write all that is indexed to a file.'
        'load' = 'Index what dump wrote; nothing is encoded again.'
        'eval' = 'Say how good a search is, given judgements.'
        'train' = 'Let the Executors of a Flow learn from documents.'
        'post' = 'Send documents to any endpoint of a Flow.'
        'flow' = 'Start a Flow from its YAML file and stay with it.'
        'executor' = 'Serve one Executor alone.'
        'deployment' = 'Serve what a Deployment''s YAML describes.'
        'gateway' = 'Serve a Gateway before Executors elsewhere.'
        'ping' = 'Ask whether a Flow or an Executor is ready.'
        'validate' = 'Check YAML files; starts nothing.'
        'config' = 'Print a Flow with all its defaults filled in.'
        'explain' = 'Explain a key of the YAML, a code, or a topic.'
        'export' = 'Write a flowchart, schemas, .proto files.'
        'completion' = 'Print the completion script of a shell.'
        'hello-world' = 'The same as jina hello fashion.'
    }

    $shared = @{
        '--json' = $true
        '--output' = @('human', 'concise', 'json', 'github')
        '-q' = $true
        '--quiet' = $true
        '-v' = $true
        '--verbose' = $true
        '--color' = @('auto', 'always', 'never')
        '--no-progress' = $true
        '--no-input' = $true
        '-C' = @()
        '--directory' = @()
        '--env-file' = @()
        '--project' = @()
        '--debug' = $true
        '-h' = $true
        '--help' = $true
        '--version' = $true
    }

    $commands = @{
        'hello fashion' = @{
            '--full' = $true
            '--data' = @()
            '--download' = $true
            '--uses' = @()
            '--print-flow' = $true
            '--workspace' = @()
            '--port' = @()
            '--report' = @()
            '--no-browser' = $true
            '--once' = $true
        }
        'index' = @{
            '--uses' = @()
            '--host' = @()
            '--workspace' = @()
            '--format' = @('auto', 'jsonl', 'json', 'csv', 'lines', 'text', 'npy', 'parquet')
            '--field-map' = @()
            '--batch' = @()
            '--concurrency' = @()
            '--on-error' = @('skip', 'stop')
            '--errors-to' = @()
            '--max-errors' = @()
            '--allow-empty' = $true
            '--timeout' = @()
            '--param' = @()
            '--lenient' = $true
        }
        'search' = @{
            '--uses' = @()
            '--host' = @()
            '--workspace' = @()
            '-k' = @()
            '--top-k' = @()
            '--where' = @()
            '--mode' = @('auto', 'hybrid', 'lexical', 'vector')
            '--hybrid' = $true
            '--rrf-k' = @()
            '--rerank' = @()
            '--fields' = @()
            '--explain' = $true
            '--format' = @('table', 'json', 'jsonl', 'trec')
            '--batch' = @()
            '--concurrency' = @()
            '--allow-empty' = $true
            '--timeout' = @()
            '--param' = @()
            '--lenient' = $true
        }
        'get' = @{
            '--uses' = @()
            '--host' = @()
            '--workspace' = @()
            '--fields' = @()
            '--vectors' = $true
            '--target-executor' = @()
            '--timeout' = @()
            '--lenient' = $true
        }
        'count' = @{
            '--uses' = @()
            '--host' = @()
            '--workspace' = @()
            '--where' = @()
            '--target-executor' = @()
            '--timeout' = @()
            '--lenient' = $true
        }
        'delete' = @{
            '--uses' = @()
            '--host' = @()
            '--workspace' = @()
            '--where' = @()
            '--yes' = $true
            '-y' = $true
            '--dry-run' = $true
            '--timeout' = @()
            '--lenient' = $true
        }
        'dump' = @{
            '-o' = @()
            '--out' = @()
            '--uses' = @()
            '--host' = @()
            '--workspace' = @()
            '--format' = @('auto', 'jsonl', 'parquet')
            '--vectors' = $true
            '--no-vectors' = $true
            '--where' = @()
            '--target-executor' = @()
            '--allow-empty' = $true
            '--timeout' = @()
            '--lenient' = $true
        }
        'load' = @{
            '--uses' = @()
            '--host' = @()
            '--workspace' = @()
            '--format' = @('auto', 'jsonl', 'parquet')
            '--batch' = @()
            '--concurrency' = @()
            '--errors-to' = @()
            '--max-errors' = @()
            '--allow-empty' = $true
            '--timeout' = @()
            '--param' = @()
            '--lenient' = $true
        }
        'eval' = @{
            '--qrels' = @()
            '--run' = @()
            '--queries' = @()
            '--uses' = @()
            '--host' = @()
            '--workspace' = @()
            '--metrics' = @()
            '--fail-under' = @()
            '--per-query' = $true
            '--skip-missing' = $true
            '-k' = @()
            '--top-k' = @()
            '--where' = @()
            '--mode' = @('auto', 'hybrid', 'lexical', 'vector')
            '--rrf-k' = @()
            '--rerank' = @()
            '--batch' = @()
            '--concurrency' = @()
            '--timeout' = @()
            '--param' = @()
            '--lenient' = $true
        }
        'train' = @{
            '--uses' = @()
            '--host' = @()
            '--workspace' = @()
            '--format' = @('auto', 'jsonl', 'json', 'csv', 'lines', 'text', 'npy', 'parquet')
            '--field-map' = @()
            '--batch' = @()
            '--timeout' = @()
            '--param' = @()
            '--lenient' = $true
        }
        'post' = @{
            '--text' = @()
            '--uses' = @()
            '--host' = @()
            '--workspace' = @()
            '--stream' = $true
            '--format' = @('auto', 'jsonl', 'json', 'csv', 'lines', 'text', 'npy', 'parquet')
            '--field-map' = @()
            '--batch' = @()
            '--concurrency' = @()
            '--timeout' = @()
            '--param' = @()
            '--target-executor' = @()
            '--lenient' = $true
        }
        'flow' = @{
            '--uses' = @()
            '-f' = @()
            '--override' = @()
            '--workspace' = @()
            '--port' = @()
            '--protocol' = @('grpc', 'http', 'websocket', 'native')
            '--env' = @()
            '--lenient' = $true
            '--allow-install' = $true
            '--dry-run' = $true
            '--timeout-ready' = @()
            '--wait-timeout' = @()
            '--exit-on' = @('none', 'failure', 'first', 'all')
            '--keep-going' = $true
            '--exit-code-from' = @()
            '--grace' = @()
            '--ready-fd' = @()
            '--log-format' = @('text', 'json')
            '--log-dir' = @()
            '--no-log-prefix' = $true
            '--attach' = @()
            '--no-attach' = @()
            '--list' = $true
        }
        'executor' = @{
            '--uses' = @()
            '--name' = @()
            '--port' = @()
            '--protocol' = @('grpc', 'http', 'websocket', 'native')
            '--host' = @()
            '--workspace' = @()
            '--replicas' = @()
            '--shards' = @()
            '--uses-with' = @()
            '--uses-metas' = @()
            '--uses-requests' = @()
            '--py-modules' = @()
            '--env' = @()
            '--lenient' = $true
            '--allow-install' = $true
            '--dry-run' = $true
            '--timeout-ready' = @()
            '--wait-timeout' = @()
            '--exit-on' = @('none', 'failure', 'first', 'all')
            '--grace' = @()
            '--ready-fd' = @()
            '--log-format' = @('text', 'json')
            '--log-dir' = @()
            '--no-log-prefix' = $true
        }
        'deployment' = @{
            '--uses' = @()
            '--name' = @()
            '--port' = @()
            '--protocol' = @('grpc', 'http', 'websocket', 'native')
            '--host' = @()
            '--workspace' = @()
            '--replicas' = @()
            '--shards' = @()
            '--uses-with' = @()
            '--uses-metas' = @()
            '--uses-requests' = @()
            '--py-modules' = @()
            '--env' = @()
            '--lenient' = $true
            '--allow-install' = $true
            '--dry-run' = $true
            '--timeout-ready' = @()
            '--wait-timeout' = @()
            '--exit-on' = @('none', 'failure', 'first', 'all')
            '--grace' = @()
            '--ready-fd' = @()
            '--log-format' = @('text', 'json')
            '--log-dir' = @()
            '--no-log-prefix' = $true
        }
        'gateway' = @{
            '--graph-description' = @()
            '--deployments-addresses' = @()
            '--graph-conditions' = @()
            '--deployments-metadata' = @()
            '--deployments-no-reduce' = @()
            '--port' = @()
            '--protocol' = @('grpc', 'http', 'websocket', 'native')
            '--host' = @()
            '--name' = @()
            '--title' = @()
            '--description' = @()
            '--cors' = $true
            '--prefetch' = @()
            '--timeout-send' = @()
            '--retries' = @()
            '--ssl-certfile' = @()
            '--ssl-keyfile' = @()
            '--expose-endpoints' = @()
            '--env' = @()
            '--dry-run' = $true
            '--grace' = @()
            '--ready-fd' = @()
            '--log-format' = @('text', 'json')
            '--log-dir' = @()
            '--no-log-prefix' = $true
        }
        'ping' = @{
            '--timeout' = @()
            '--attempts' = @()
            '--min-successful-attempts' = @()
            '--wait' = $true
            '--wait-timeout' = @()
            '--pid' = @()
        }
        'validate' = @{
            '--lenient' = $true
        }
        'config' = @{
            '--uses' = @()
            '-f' = @()
            '--override' = @()
            '--format' = @('yaml', 'json')
            '--lenient' = $true
        }
        'explain' = @{
        }
        'export schema' = @{
            '-o' = @()
            '--out' = @()
            '--schema-path' = @()
            '--draft' = @('2020-12', '7')
            '--kind' = @('flow', 'pod', 'gateway', 'executor', 'driver')
        }
        'export flowchart' = @{
            '-o' = @()
            '--out' = @()
            '--vertical-layout' = $true
            '--lenient' = $true
        }
        'export proto' = @{
            '-o' = @()
            '--out' = @()
        }
        'export openapi' = @{
            '-o' = @()
            '--out' = @()
            '--host' = @()
            '--lenient' = $true
        }
        'completion' = @{
        }
        'hello-world' = @{
            '--full' = $true
            '--data' = @()
            '--download' = $true
            '--uses' = @()
            '--print-flow' = $true
            '--workspace' = @()
            '--port' = @()
            '--report' = @()
            '--no-browser' = $true
            '--once' = $true
        }
    }

    $seconds = @{
        'hello' = @('fashion')
        'export' = @('schema', 'flowchart', 'proto', 'openapi')
        'ping' = @('flow', 'executor', 'gateway')
        'completion' = @('bash', 'zsh', 'fish', 'powershell')
    }

    $words = @()
    $previous = ''
    $skip = $false
    foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
        if ($element.Extent.EndOffset -ge $cursorPosition -and $wordToComplete) { break }
        $text = $element.ToString()
        $previous = $text
        if ($skip) { $skip = $false; continue }
        if ($text.StartsWith('-')) { $skip = $shared[$text] -is [array]; continue }
        $words += $text
    }

    $command = ''
    foreach ($count in 2, 1) {
        if ($words.Count -ge $count) {
            $name = ($words | Select-Object -First $count) -join ' '
            if ($commands.ContainsKey($name)) { $command = $name; break }
        }
    }

    $options = $shared
    if ($command) {
        $options = $shared.Clone()
        foreach ($entry in $commands[$command].GetEnumerator()) {
            $options[$entry.Key] = $entry.Value
        }
    }

    if ($options[$previous] -is [array]) {
        $candidates = $options[$previous]
    } elseif ($wordToComplete.StartsWith('-')) {
        $candidates = $options.Keys | Sort-Object
    } elseif ($words.Count -eq 0) {
        $candidates = $verbs.Keys | Sort-Object
    } else {
        $candidates = $seconds[($words -join ' ')]
    }

    $candidates | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
        $help = $verbs[$_]
        if (-not $help) { $help = $_ }
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $help)
    }
}

"""What processes tell those who watch them: numbers for Prometheus, spans for OpenTelemetry.

All of it wraps what answers requests, from outside, and only where the plan asks for it.
"""

"""What every stage that makes calls does: gate, call, recover from logs, account for losses."""

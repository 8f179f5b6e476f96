"""Makes calls: tasks for inspect, one eval of many tasks, progress, allowance, interruption."""

"""What runs by itself: schedules, sensors, notifications."""

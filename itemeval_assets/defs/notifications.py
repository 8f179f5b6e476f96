def notification_sensors(studies, settings):
    return []

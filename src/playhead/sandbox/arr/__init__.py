"""What an emulated Sonarr and an emulated Radarr share: shelf, disk, history, commands, webhooks, web. Knows no adapter."""

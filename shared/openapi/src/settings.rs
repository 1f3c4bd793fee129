use crate::Subject;
use crate::operation::on;

pub(crate) fn subject() -> Subject {
    Subject {
        name: "Settings",
        description: "The shop: its company, time zone, currency, languages and country, its quiet hours and frequency caps.",
        schemas: crate::dictionary::settings(),
        operations: vec![
            on("GET /v1/settings", "getSettings", "Read the settings").gives(200, "As they stand.", "SettingsShown"),
            on("PUT /v1/settings", "putSettings", "Say the settings")
                .says("All of them: what is left out is taken away.")
                .takes("Settings")
                .gives(200, "As they were saved.", "SettingsShown"),
        ],
    }
}

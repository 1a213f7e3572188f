{{- define "tpl.value" -}}
{{- if typeIs "string" .value }}{{ tpl .value .root }}{{ else }}{{ tpl (.value | toYaml) .root }}{{ end }}
{{- end }}

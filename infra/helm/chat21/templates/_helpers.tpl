{{- define "chat21.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* Labels of one part: (dict "root" $ "part" "observer"). */}}
{{- define "chat21.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "chat21.labels" -}}
{{ include "chat21.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: chat21
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "chat21.image" -}}
{{ .root.Values.image.prefix }}{{ .image | default .part }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{/* One variable from the Secret: (dict "root" $ "name" "MONGODB_URI" "key" "mongodb-uri" "optional" false). */}}
{{- define "chat21.secretVariable" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .root.Values.existingSecret }}
      key: {{ .key }}
      optional: {{ .optional }}
{{- end }}

{{- define "chat21.podCommon" -}}
serviceAccountName: {{ include "chat21.name" .root }}
automountServiceAccountToken: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "chat21.selector" . | nindent 8 }}
{{- end }}

{{- define "chat21.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{/*
A Deployment of one of the Node processes: (dict "root" $ "part" "observer" "port" 9090 "values" .Values.observer
"secrets" (list …) "variables" (dict …) "hasReplicas" true). A node has the "image" of the server, "args" and a "mqttPort".
*/}}
{{- define "chat21.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "chat21.name" .root }}-{{ .part }}
  labels: {{- include "chat21.labels" . | nindent 4 }}
spec:
  {{- if .hasReplicas }}
  replicas: {{ .values.replicas }}
  {{- end }}
  # A new process starts before an old one stops, which then finishes what it has begun.
  strategy: { type: RollingUpdate, rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
  selector:
    matchLabels: {{- include "chat21.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "chat21.labels" . | nindent 8 }}
      annotations:
        checksum/config: {{ include (print .root.Template.BasePath "/configmap.yaml") .root | sha256sum }}
        prometheus.io/scrape: "true"
        prometheus.io/port: {{ .port | quote }}
    spec:
      {{- include "chat21.podCommon" . | nindent 6 }}
      # A process needs up to 10 s to drain.
      terminationGracePeriodSeconds: 20
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000
        runAsGroup: 1000
        seccompProfile: { type: RuntimeDefault }
      containers:
        - name: {{ .part }}
          image: {{ include "chat21.image" . | quote }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          {{- include "chat21.containerSecurity" . | nindent 10 }}
          {{- with .args }}
          args: {{- toYaml . | nindent 12 }}
          {{- end }}
          envFrom:
            - configMapRef: { name: {{ include "chat21.name" .root }} }
          env:
            {{- $root := .root }}
            {{- range .secrets }}
            {{- include "chat21.secretVariable" (merge (dict "root" $root) .) | nindent 12 }}
            {{- end }}
            {{- range $name, $value := .variables }}
            - { name: {{ $name }}, value: {{ $value | quote }} }
            {{- end }}
          ports:
            - { name: http, containerPort: {{ .port }} }
            {{- with .mqttPort }}
            - { name: mqtt, containerPort: {{ . }} }
            {{- end }}
          startupProbe: { httpGet: { path: /healthz, port: http }, periodSeconds: 2, failureThreshold: 45 }
          livenessProbe: { httpGet: { path: /healthz, port: http }, periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3 }
          readinessProbe: { httpGet: { path: /readyz, port: http }, periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 }
          resources: {{- toYaml .values.resources | nindent 12 }}
{{- end }}

{{/* Scales a Deployment by its CPU: (dict "root" $ "part" "observer" "autoscaling" .Values.observer.autoscaling). */}}
{{- define "chat21.autoscaler" -}}
{{- if .autoscaling.enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "chat21.name" .root }}-{{ .part }}
  labels: {{- include "chat21.labels" . | nindent 4 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ include "chat21.name" .root }}-{{ .part }} }
  minReplicas: {{ .autoscaling.minReplicas }}
  maxReplicas: {{ .autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: { type: Utilization, averageUtilization: {{ .autoscaling.targetCPUUtilizationPercentage }} }
  behavior:
    # Each change moves partitions or connections, so a short peak must not cause one.
    scaleDown: { stabilizationWindowSeconds: 600 }
{{- end }}
{{- end }}

{{/* The addresses that the web pods lead to. */}}
{{- define "chat21.apiUpstream" -}}
{{ include "chat21.name" . }}-{{ if eq .Values.topology "plugin" }}http-api{{ else }}node{{ end }}.{{ .Release.Namespace }}.svc.cluster.local:8010
{{- end }}
{{- define "chat21.webMqttUpstream" -}}
{{ if eq .Values.topology "plugin" }}{{ .Values.web.webMqttUpstream }}{{ else }}{{ include "chat21.apiUpstream" . }}{{ end }}
{{- end }}

{{/* Keeps at least one pod while nodes are drained: (dict "root" $ "part" "observer"). */}}
{{- define "chat21.disruptionBudget" -}}
{{- if .root.Values.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "chat21.name" .root }}-{{ .part }}
  labels: {{- include "chat21.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "chat21.selector" . | nindent 6 }}
{{- end }}
{{- end }}
